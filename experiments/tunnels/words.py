"""Strings that the parts of `tunnels` share."""

DENSE, PAIRS = "dense", "pairs"  # one network on every host; a network for every two hosts
MEMORY, SETUP = "memory", "set-up"  # what a prediction is about
ARTICLE_HOSTS, ARTICLE_TUNNELS = 40_000, 780e6  # "40000 nodes ... 780 millions tunnels"
