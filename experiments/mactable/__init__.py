"""Experiment `mactable`: what a full MAC table does."""
