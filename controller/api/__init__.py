"""Neutron v2.0 shapes over HTTP on a UNIX socket."""
