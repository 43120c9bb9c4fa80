"""Experiment `walk`: the article's home and office, a packet followed through them."""
