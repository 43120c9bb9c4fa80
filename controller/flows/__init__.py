"""Overlay and binding to flows: the tunnel pipeline as data.  Pure."""
