"""Drawings of a scenario or a running lab, as values and as DOT text for Graphviz.  Pure."""
