"""Experiment `state`: what GRE and VXLAN keep and send beside the frames."""
