"""Explains flows in English sentences.  Pure."""
