"""Neutron's API v2.0 over HTTP on a UNIX socket."""
