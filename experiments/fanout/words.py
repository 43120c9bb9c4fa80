"""Strings that the probe and the report of `fanout` share: kinds of frames, and names of counts."""

KNOWN, UNKNOWN, OTHER, UNICAST = "ARP known", "ARP unknown", "broadcast", "unknown unicast"
KINDS = (KNOWN, UNKNOWN, OTHER, UNICAST)
# Counts of one frame that are predicted: columns, and what reports call them.
COUNTS = {
    "copies_sent": "sent",
    "arrived": "arrived",
    "unneeded": "unneeded",
    "delivered": "delivered",
}
PREDICTED = "predicted "  # before the name of a count: the column of its prediction
MISDELIVERED = "misdelivered"  # predicted to be 0 for every frame

# Facts about a lab, for run.json.
NO_END_FRAME = "guests_without_end_frame"
DROPPED = "capture_dropped"
UNEQUAL = "capture_and_counter_differ"
UNSENT = "frames_unsent"

FORMAT_2 = {  # what format 2 named otherwise
    "wasted": "unneeded",
    "heard": "delivered",
    "strays": MISDELIVERED,
    "repeats": "frames_each",
    "guests_without_barrier": NO_END_FRAME,
    "capture_unlike_counters": UNEQUAL,
}
