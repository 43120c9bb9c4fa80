"""Experiment `filter`: what a firewall between VTEPs can tell apart."""
