"""Experiment `ecmp`: how the flows of a tunnel spread over equal-cost paths."""
