"""Figures: matplotlib on values, one module a kind of picture."""
