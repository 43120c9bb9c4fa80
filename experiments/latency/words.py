"""Names that the probe of `latency` and its report share."""

GUEST, VETH, SAME_HOST, VTEP = "guest", "veth", "same-host", "vtep"  # paths
BASELINES = (VETH, SAME_HOST, VTEP)  # from the shortest path on
FIRST, WARMUP, WARM = "first", "warmup", "warm"  # phases

# Caches that are empty at a first ping.
NEW_LAB, KERNEL_NEW_LAB = "new-lab", "kernel-new-lab"  # all of them
GUEST_ARP, LEARNED_FLOW = "guest-arp", "learned-flow"
MEGAFLOW, VTEP_NEIGHBOUR = "megaflow", "vtep-neighbour"
KERNEL_ARP, KERNEL_FDB = "kernel-guest-arp", "kernel-fdb"
NO_CACHE = "none"  # what the others are compared with
CACHES = (  # in the order of reports
    NEW_LAB,
    KERNEL_NEW_LAB,
    GUEST_ARP,
    LEARNED_FLOW,
    MEGAFLOW,
    VTEP_NEIGHBOUR,
    KERNEL_ARP,
    KERNEL_FDB,
    NO_CACHE,
)

# Stages of a ping in the order of time, as (direction, stage), with their names in reports.
REQUEST, ANSWER, REPLY = "request", "answer", "reply"
LABELS = {
    (REQUEST, "guest-out"): "guest to br-int",
    (REQUEST, "switch"): "br-int to wire",
    (REQUEST, "wire"): "along the wire",
    (REQUEST, "far-switch"): "wire to far br-int",
    (REQUEST, "guest-in"): "br-int to far guest",
    (ANSWER, "answer"): "far guest answers",
    (REPLY, "guest-out"): "far guest to br-int",
    (REPLY, "far-switch"): "far br-int to wire",
    (REPLY, "wire"): "along the wire",
    (REPLY, "switch"): "wire to br-int",
    (REPLY, "guest-in"): "br-int to guest",
}
STAGES = tuple(LABELS)
PING, RTT, UNMATCHED = "ping", "rtt", "unmatched"  # the direction of rows from ping, two stages


def first_ping(cache: str) -> str:
    """The subject of predictions about first pings with this cache empty."""
    return f"first ping, {cache}"


FORMAT_2 = {  # columns and settings that format 2 named otherwise
    "cold": "cache",
    "cold_repeats": "cache_repeats",
    "grid": "conditions",
    "cold_as_raised": "known_at_start",
}
_CACHES = {
    "everything-as-raised": NEW_LAB,
    "kernel-as-raised": KERNEL_NEW_LAB,
    "nothing": NO_CACHE,
}
FORMAT_2_VALUES = {
    "cache": _CACHES,
    "phase": {"cold": FIRST},
    "about": {
        **{f"cold {cache}": first_ping(cache) for cache in CACHES},
        **{f"cold {old}": first_ping(new) for old, new in _CACHES.items()},
    },
}
