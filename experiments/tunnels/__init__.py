"""Experiment `tunnels`: how ports, flows and memory grow with the hosts."""
