"""The question of `ecmp`: factors, predictions, columns."""

from experiments.core.question import Prediction, Question, integer, number, text

KEY_COLUMNS = {
    "hash_policy": integer(
        "net.ipv4.fib_multipath_hash_policy of the sender's leaf: 0 outer addresses, 1 outer addresses and ports, 2 inner addresses where the kernel sees them, else outer ones"
    ),
    "pairs": text(
        "one: all flows between two inner addresses, told apart by their UDP ports; many: a pair of inner addresses for each flow, with the same ports"
    ),
    "flows": integer("UDP flows from one guest to another, sent together"),
    "draw": integer("which draw of ports or addresses, from 1"),
}

QUESTION = Question(
    name="ecmp",
    question="Over how many of the underlay's equal paths do the flows of one tunnel spread?",
    value="entropy_bits",
    unit="bits",
    factors={
        "mode": ("gre-mesh", "vxlan-mesh", "geneve-mesh", "kvxlan-mesh"),
        "spines": (2, 4),
    },
    report="ecmp",
    predictions=(
        Prediction(
            about="exact",
            claim="policy 0: every tunnel on one path; policy 1: all of GRE; policy 2: VXLAN and "
            "Geneve always, GRE if all flows have the same inner addresses",
            reason="between two VTEPs outer addresses never differ, and GRE has no ports; the "
            "kernel's flow dissector sees inner addresses behind GRE, but not behind UDP",
        ),
        Prediction(
            about="spread",
            claim="policy 1: VXLAN and Geneve spread, 32 flows put 8 to 24 on each of two spines; "
            "policy 2: GRE spreads with many pairs of inner addresses; each path has what "
            "chance gives it",
            reason="the outer UDP source port is a hash of the inner packet, and a hash is as good "
            "as chance: flows on a path are binomial, and a band is left by 1 draw in 500",
        ),
        Prediction(
            about="whole",
            claim="no flow is ever torn: its packets take one path",
            reason="what the hash is made of is the same in each of them",
        ),
    ),
    columns={
        "mode": text("how the network is carried"),
        "spines": integer("spines, and so equal paths"),
        **KEY_COLUMNS,
        "entropy_bits": number("Shannon's entropy of the spines' shares of the flows"),
        "spreads": integer("1 if more than one spine has a flow; foretold: whether chance decides"),
        "least": integer("flows on the spine with the fewest; foretold: the band's lower end"),
        "most": integer("flows on the spine with the most; foretold: the band's upper end"),
        "outer_ports": integer("different UDP source ports of the outer packets; GRE: 0"),
        "torn": integer("flows whose packets were seen on more than one spine"),
    },
    more={
        "spines": {
            "mode": text("as above"),
            "spines": integer("as above"),
            **KEY_COLUMNS,
            "spine": text("node"),
            "on_it": integer("flows that took it"),
        },
    },
)
