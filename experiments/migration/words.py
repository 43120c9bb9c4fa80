"""Words that the probe of `migration` writes and its report reads."""

FORMAT_2 = {"unheard": "unlearned"}  # columns that format 2 called otherwise
