"""The overlay as frozen values: hosts, networks, subnets, ports, and what is valid.  Pure."""
