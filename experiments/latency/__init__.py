"""Experiment `latency`: what a tunnel adds to a round trip."""
