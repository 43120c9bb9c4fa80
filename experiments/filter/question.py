"""The question of `filter`: factors, predictions, columns."""

from experiments.core.question import Prediction, Question, integer, number, text
from experiments.filter import labs as stage

QUESTION = Question(
    name="filter",
    question="Can a firewall in the underlay stop one tenant's flow and pass another's?",
    value="count",
    unit="packets",
    factors={"mode": ("gre-mesh", "vxlan-mesh", "geneve-mesh", "kvxlan-mesh")},
    report="filter",
    predictions=(
        Prediction(
            about="outer",
            claim="outer addresses or the outer service stop both tenants, or neither",
            reason="both go from VTEP to VTEP, by the same protocol and port",
        ),
        Prediction(
            about=stage.OUTER_FLOW,
            claim="an outer UDP source port names a flow, not a tenant: red's other flow passes, "
            "and blue's flow of the same five-tuple is stopped with red's; GRE has no such field",
            reason="the port is a hash of the inner five-tuple, and of nothing else",
        ),
        Prediction(
            about="inner",
            claim="the inner addresses with the segmentation_id before them stop red and pass "
            "blue, by nft and by u32 alike; without the id they stop both",
            reason="tenants may have the same addresses; every field is at a fixed place, as "
            "long as no outer header has options",
        ),
        Prediction(
            about=stage.CONNTRACK,
            claim="conntrack has one entry for all of GRE, with a reply; of VXLAN and Geneve one "
            "for each flow each way, and none ever sees a reply",
            reason="answers go to the fixed port from a source port of their own hash (RFC 7348, "
            "section 5): they are a new UDP flow",
        ),
        Prediction(
            about=stage.MASQUERADE,
            claim="masquerade breaks every tunnel: an OVS VTEP takes nothing more from behind it, "
            "and of its own packets UDP still comes home, GRE does not; Linux takes what comes, "
            "and answers to the firewall, in vain",
            reason="OVS takes a tunnel's packets from its remote_ip alone; Linux looks at the VNI, "
            "and learns the outer source; GRE has no port by which conntrack could tell the "
            "other way from an answer to what it has translated, so it drops it",
        ),
        Prediction(
            about="cost",
            claim="100 rules on inner headers cost a packet more than one does, by nft and by u32",
            reason="rules are held against a packet one after the other",
        ),
    ),
    columns={
        "mode": text("how both tenants' networks are carried, between the same two VTEPs"),
        "rule": text("what the firewall was told"),
        "what": text(
            "whose flow; red, other port: another flow of the tenant that is to be stopped; "
            "blue, same flow: of the same five-tuple in the other tenant; or of conntrack's table"
        ),
        "count": integer("packets of 16 that the far guest got; or entries"),
        "forwarded": integer("of those, packets that left the firewall"),
        "offered": integer("of those, packets that came into the firewall"),
    },
    more={
        "cost": {
            "mode": text("as above"),
            "rule": text("what the firewall was told"),
            "rules": integer("how many of them, none of which the packet matches"),
            "round": integer("from 1, each in another order"),
            "us_per_packet": number(
                "microseconds from the first of a batch sent until the last is "
                "through the firewall, by the packets in it; empty: some were lost"
            ),
        },
    },
)
