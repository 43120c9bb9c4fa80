"""Experiment `mtu`: the largest packet that passes, and what becomes of larger ones."""
