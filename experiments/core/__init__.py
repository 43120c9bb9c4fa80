"""Experiments, questions, predictions, verdicts and the format of results."""
