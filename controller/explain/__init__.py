"""Flows in words.  Pure."""
