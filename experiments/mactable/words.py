"""Names that the probe of `mactable` and its report share."""

MISDELIVERED = "misdelivered"
FORMAT_2 = {"astray": MISDELIVERED, "unheard": "unlearned"}  # columns that format 2 named otherwise
