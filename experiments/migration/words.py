"""Names that the probe of `migration` and its report share."""

WITH = "with gratuitous ARP"
WITHOUT = "without gratuitous ARP"
FLUSHED = f"{WITH}, megaflows flushed"  # of every host, before the move
UNKNOWN = f"{WITHOUT}, MAC unknown"  # to the bridge of the new host
ANNOUNCED = (WITH, FLUSHED)  # the guest sends gratuitous ARP
LEARNED, L2POP = "learned", "l2pop"  # how the MAC's location is known
CACHED = "megaflows"  # the prediction about the cost of cached flows
MARGIN_MS = 100  # a shorter difference of times does not matter

FORMAT_2 = {"dark_ms": "downtime_ms"}  # columns that format 2 named otherwise
_WAYS = {
    "announced": WITH,
    "silent": WITHOUT,
    "announced, uncached": FLUSHED,
    "silent, unheard": UNKNOWN,
}
FORMAT_2_VALUES = {
    "way": _WAYS,
    "about": {
        "cached": CACHED,
        **{f"learned {old}": f"{LEARNED} {new}" for old, new in _WAYS.items()},
        **{f"told {old}": f"{L2POP} {new}" for old, new in _WAYS.items()},
    },
}
