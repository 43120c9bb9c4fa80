"""Strings that the question, the probe and the report of `mtu` share."""

# Outcomes of a size.
WHOLE, FRAGMENTED, DROPPED = "passes whole", "passes in fragments", "silently dropped"
LOST_FRAGMENTS, FRAG_NEEDED = "fragments dropped", "ICMP frag needed"
REFUSED, SOME = "refused by own kernel", "some pass"
WITHOUT_ICMP = (DROPPED, LOST_FRAGMENTS)

# The guests' MTU, compared with the path's.
TOO_LARGE, RIGHT = "too large", "right"
AFTER_ICMP = "too large, after ICMP"  # which other packets of the same guest caused

# Names of sizes; a size with several names has `ALSO` between them.
UNDER = 100  # bytes below the limit, which certainly pass
LIMIT, OVER, TWICE = "limit", "limit + 1", "twice the limit"
UNDERLAY, GUEST, ABOVE_GUEST = "underlay's MTU", "guest's MTU", "guest's MTU + 1"
WELL_UNDER = f"limit - {UNDER}"
CONTROL_BEFORE, CONTROL_AFTER = "control before", "control after"
ALSO = " = "
SIZES = {
    TOO_LARGE: (WELL_UNDER, LIMIT, OVER, UNDERLAY, GUEST, ABOVE_GUEST, TWICE),
    RIGHT: (LIMIT, OVER, TWICE),
}

# Places on the path, in order.
GUEST_PORT, WIRE_OUT, WIRE_IN, FAR_PORT = "guest_port", "wire_out", "wire_in", "far_port"
PLACES = (GUEST_PORT, WIRE_OUT, WIRE_IN, FAR_PORT)
NOWHERE = "nowhere"

# Outcomes of a transfer.
COMPLETES, HANGS = "completes", "hangs after the handshake"
UNFINISHED, NO_HANDSHAKE = "unfinished", "no handshake"

FORMAT_2 = {  # what format 2 named otherwise
    "repeat": "transfer",
    "repeats": "transfers",
    "told_mtu": "reported_mtu",
    "told_by": "icmp_from",
    "went_as_far_as": "reached",
}
FORMAT_2_VALUES = {"guest": {"too large, soon told": AFTER_ICMP}}
