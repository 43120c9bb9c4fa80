"""Experiment `throughput`: what one TCP connection carries."""
