"""Strings that the parts of `tunnels` share."""

DENSE, PAIRS = "dense", "pairs"  # one network on every host; a network for every two hosts
SHARED = {DENSE: "(1 network)", PAIRS: "(networks of 2 hosts)"}  # in the chart
MEMORY, SETUP = "memory", "set-up"  # what a prediction is about
ARTICLE_HOSTS = 40_000  # "40000 nodes ... 780 millions tunnels"
