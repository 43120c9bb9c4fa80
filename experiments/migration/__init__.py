"""Experiment `migration`: how long traffic stops when a guest moves to another host."""
