"""Experiments: the questions, and how each is put to a lab.  One module each."""
