"""OpenFlow sessions and OVSDB: bring a switch to the flows it should have."""
