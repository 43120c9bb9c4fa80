"""Processes, waiting, and the ownership of files."""
