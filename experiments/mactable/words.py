"""Words that the probe of `mactable` writes and its report reads."""

FORMAT_2 = {"astray": "misdelivered"}  # columns that format 2 called otherwise
