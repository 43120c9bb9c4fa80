"""The record of what a lab has made: its processes and nodes, so that all of it can be undone."""
