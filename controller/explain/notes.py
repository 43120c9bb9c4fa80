"""Words for the notes that a switch writes into the output of `ofproto/trace`.  Pure.

Source: Open vSwitch, ofproto/ofproto-dpif-xlate.c, `xlate_report`.
"""

import re

UNREPORTED = re.compile(r"tunneling |output to (native|kernel) tunnel|.* is now ")
NOW_FOR = re.compile(r"NXM_OF_ETH_DST\[\] is now ([0-9a-f:]{17})")
NOT_LEARNED = "suppressing side effects, so learn action ignored"
LOSS = re.compile(
    r"neighbor cache miss|native tunnel routing failed|Tunneling decided against output|"
    r".*dropping|.*drop$|.*not forwarding|skipping output to input port|.*looping|.*exceeded|.*[Oo]ver max"
)
REASONS = (  # the beginning of a note, or a part of it -> why the frame goes no further
    ("neighbor cache miss", "the host does not know the MAC of the VTEP's next hop yet"),
    ("native tunnel routing failed", "the host has no route to the VTEP"),
    ("Tunneling decided against", "the tunnel port refuses the packet"),
    (
        "skipping output to input port",
        "a switch does not send a frame back to the port it came in by",
    ),
    ("disallowed VLAN VID", "the input port does not belong to the frame's VLAN"),
    ("input port", "the input port does not accept the frame"),
    ("recursion", "the flows resubmit too often"),
    ("resubmit", "the flows resubmit too often"),
    ("port is in a state", "the port is down or blocked"),
)


def noted(note: str, target_mac: str = "") -> str:
    """A note of the switch in words; empty if it says nothing new.

    Args:
        target_mac: the destination of the frame, if it is known.
    """
    if UNREPORTED.match(note):
        return ""
    is_group = bool(target_mac) and bool(int(target_mac[:2], 16) & 1)
    flooded = (
        "The frame is for everyone, so it is flooded."
        if is_group
        else (
            f"It has not learned where {target_mac or 'the destination'} is, so the frame is flooded."
        )
    )
    words = {
        "forwarding to learned port": f"It has learned the port of {target_mac or 'the destination'}.",
        "no learned MAC for destination, flooding": flooded,
        NOT_LEARNED: "(A trace adds no flow.)",
    }
    return words.get(note, f"The switch adds: {note}.")


def reason(note: str) -> str:
    """Why a copy was lost, from a note; empty if it is not about a loss."""
    if not LOSS.match(note):
        return ""
    found = next((why for part, why in REASONS if part in note), "")
    return f"{found} ({note})" if found else note
