"""Experiment `aa`: a mode compared with itself."""
