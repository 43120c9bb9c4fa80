"""The words in the tables of the experiment `mtu`: those who write and those who tell share them.  Pure."""

# What became of a size.
WHOLE, FRAGMENTED, SILENT = "passes whole", "passes in fragments", "silently dropped"
LOST_FRAGMENTS, TOLD, REFUSED = "fragments dropped", "ICMP frag needed", "refused by own kernel"
SOME = "some pass"
SILENCES = (SILENT, LOST_FRAGMENTS)

# The guests' MTU, for the path.
TOO_LARGE, RIGHT = "too large", "right"
SOON_TOLD = "too large, soon told"  # by ICMP that other packets of the same guest call for

# Sizes, by what they are; one that is several has their names with `ALSO` between.
UNDER = 100  # bytes below the limit: surely small enough
LIMIT, OVER, UNDERLAY, GUEST, ABOVE_GUEST, TWICE = (
    "limit",
    "limit + 1",
    "underlay's MTU",
    "guest's MTU",
    "guest's MTU + 1",
    "twice the limit",
)
WELL_UNDER = f"limit - {UNDER}"
CONTROL_BEFORE, CONTROL_AFTER = "control before", "control after"
ALSO = " = "
SIZES = {
    TOO_LARGE: (WELL_UNDER, LIMIT, OVER, UNDERLAY, GUEST, ABOVE_GUEST, TWICE),
    RIGHT: (LIMIT, OVER, TWICE),
}

# Places on the way there, in order.
PLACES = ("guest_port", "wire_out", "wire_in", "far_port")
NOWHERE = "nowhere"

# What became of a transfer.
COMPLETES, HANGS = "completes", "hangs after the handshake"
UNFINISHED, NO_HANDSHAKE = "unfinished", "no handshake"

FORMAT_2 = {"repeat": "transfer", "repeats": "transfers"}  # columns that format 2 called otherwise
