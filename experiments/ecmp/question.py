"""Factors, predictions and columns of `ecmp`."""

from experiments.core.question import Prediction, Question, integer, number, text
from experiments.ecmp.words import ONE_SPINE, SPLIT, SPREAD

KEY_COLUMNS = {
    "mode": text("mode of the overlay"),
    "spines": integer("spines, which is the number of equal-cost paths"),
    "hash_policy": integer(
        "net.ipv4.fib_multipath_hash_policy of the sender's leaf: 0 outer addresses, 1 outer "
        "addresses and ports, 2 inner addresses where the kernel finds them, else outer ones"
    ),
    "pairs": text(
        "one: all flows have the same inner addresses and differ in their UDP ports; many: each flow "
        "has its own pair of inner addresses, and all have the same ports"
    ),
    "flows": integer("UDP flows from one guest to another, sent together"),
    "draw": integer("which random draw of ports or addresses, from 1"),
}

QUESTION = Question(
    name="ecmp",
    question="Over how many of the underlay's equal-cost paths do the flows of one tunnel spread?",
    value="entropy_bits",
    unit="bits",
    factors={
        "mode": ("gre-mesh", "vxlan-mesh", "geneve-mesh", "kvxlan-mesh"),
        "spines": (2, 4),
    },
    report="ecmp",
    predictions=(
        Prediction(
            about=ONE_SPINE,
            claim="with hash policy 0, all flows of a tunnel take one path; with policy 1, all "
            "flows of GRE do; with policy 2, those of VXLAN and Geneve always do, and those of GRE "
            "if they have the same inner addresses",
            reason="outer addresses never differ between two VTEPs, and GRE has no ports; the "
            "kernel's flow dissector finds inner addresses behind GRE, but not behind UDP",
        ),
        Prediction(
            about=SPREAD,
            claim="with hash policy 1, VXLAN and Geneve spread: of 32 flows, each of two spines "
            "gets 8 to 24; with policy 2, GRE spreads if there are many pairs of inner addresses; "
            "each path gets as many flows as with a random choice",
            reason="the outer UDP source port is a hash of the inner packet, and a hash works like "
            "a random choice: flows on a path are binomial, and 1 draw in 500 is outside the band",
        ),
        Prediction(
            about=SPLIT,
            claim="no flow is split: all its packets take one path",
            reason="all fields that are hashed are the same in each of its packets",
        ),
    ),
    columns={
        **KEY_COLUMNS,
        "entropy_bits": number("Shannon entropy of the spines' shares of the flows"),
        "spreads": integer(
            "1 if more than one spine has a flow; predicted: 1 if the hash differs between flows"
        ),
        "least": integer(
            "flows on the spine with the fewest; predicted: the lower end of the band"
        ),
        "most": integer("flows on the spine with the most; predicted: the upper end of the band"),
        "outer_ports": integer("different UDP source ports of the outer packets; 0 for GRE"),
        SPLIT: integer("flows whose packets were received by more than one spine"),
    },
    more={
        "spines": {
            **KEY_COLUMNS,
            "spine": text("name of the spine"),
            "on_spine": integer("flows that took it"),
        },
    },
)
