"""Experiment `ecmp`: how tunnels spread over equal-cost paths."""
