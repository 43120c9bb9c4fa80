"""Experiment `segments`: how many networks, and how well they are kept apart."""
