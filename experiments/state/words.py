"""Strings that the probe and the report of `state` share: what is counted, and when."""

# packets on the first host's wire
TUNNEL, ARP, IGMP, OTHERS = "tunnel packets", "ARP packets", "IGMP packets", "other packets"
ARP_TARGETS = "VTEPs asked for by ARP"
# state of its datapath and kernel, and what the receiver learns
PORTS, LISTENERS = "tunnel ports or devices", "listeners in the switch"
UDP_SOCKETS, RAW_SOCKETS = "UDP sockets of a tunnel", "raw IP sockets"
CONNTRACK, NEIGHBOURS = "conntrack entries", "VTEP neighbours"
LEARNED, LIFETIME_S = "learned by a receiver", "kept for [s]"

SET_UP, FIRST, UNKNOWN = "set up and idle", "first frame", "VTEPs unknown"
BEFORE, AFTER = "before", "after"
MOMENTS = (SET_UP, FIRST, UNKNOWN, BEFORE, AFTER)
WHEN = {  # in the chart
    SET_UP: "before the first frame",
    FIRST: "with the first frame",
    UNKNOWN: "2 frames, VTEPs unknown",
    BEFORE: "before the first frame",
    AFTER: "after the first frame",
}
ALWAYS = "before and after"  # the first frame

STATE = "state"  # what a prediction is about; others are about TUNNEL and OTHERS

FORMAT_2_VALUES = {"about": {"other packets beside": OTHERS, "kept": STATE}}
