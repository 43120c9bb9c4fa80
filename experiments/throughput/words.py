"""Words that the probe of `throughput` writes and its report reads."""

FORMAT_2 = {"repeat": "transfer", "repeats": "transfers"}  # columns that format 2 called otherwise
