"""Experiment `fanout`: the copies of one broadcast."""
