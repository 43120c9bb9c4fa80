"""Words that the probe of `fanout` writes and its report reads."""

FORMAT_2 = {
    "wasted": "unneeded",
    "strays": "misdelivered",
    "repeats": "frames_each",
}  # columns that format 2 called otherwise
