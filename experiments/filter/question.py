"""The question of `filter`: factors, predictions, columns."""

from experiments.core.question import Prediction, Question, integer, number, text
from experiments.filter import words
from experiments.filter.words import BATCH, MANY, PACKETS

MODE = text("how both tenants' networks are tunnelled, between the same two VTEPs")
RULE = text("the kind of rules in the firewall")

QUESTION = Question(
    name="filter",
    question="Can a firewall in the underlay stop one tenant's flow and pass another's?",
    value="count",
    unit="packets",
    factors={"mode": ("gre-mesh", "vxlan-mesh", "geneve-mesh", "kvxlan-mesh")},
    report="filter",
    predictions=(
        Prediction(
            about=words.OUTER,
            claim="rules on outer addresses or on the tunnel protocol stop both tenants, or neither",
            reason="both tenants' packets have the same VTEPs, protocol and port",
        ),
        Prediction(
            about=words.OUTER_FLOW,
            claim="a rule on the outer UDP source port separates flows, not tenants: tenant A's "
            "other flow passes, and tenant B's flow of the same five-tuple is stopped with A's; GRE "
            "has no such field",
            reason="the port is a hash of the inner five-tuple only",
        ),
        Prediction(
            about=words.INNER,
            claim="a rule on the inner addresses and the segmentation_id stops tenant A and "
            "passes tenant B, with nft and with u32; without the id it stops both",
            reason="tenants may have the same addresses; each field has a fixed offset if no "
            "outer header has options",
        ),
        Prediction(
            about=words.CONNTRACK,
            claim="conntrack has one entry for all flows of GRE, and sees replies to it; for VXLAN "
            "and Geneve it has one for each flow in each direction, and sees no reply to any of "
            "them",
            reason="packets in the other direction also go to the fixed port, and their source "
            "port is another hash (RFC 7348, section 5): to conntrack they are a new UDP flow",
        ),
        Prediction(
            about=words.MASQUERADE,
            claim="masquerade breaks every tunnel: with OVS nothing arrives from the VTEP behind "
            "it, and packets to that VTEP still arrive with UDP but not with GRE; with kernel VXLAN "
            "packets arrive, but those in the other direction go to the firewall and are lost",
            reason="OVS accepts packets of a tunnel only from its remote_ip; the kernel checks "
            "only the VNI, and learns the outer source address; GRE has no ports, so conntrack "
            "takes the other direction for replies to the translated flow, and drops it",
        ),
        Prediction(
            about=words.COST,
            claim=f"{MANY} rules on inner headers cost a packet more time than one rule, with nft "
            "and with u32",
            reason="a packet is compared with one rule after the other",
        ),
    ),
    columns={
        "mode": MODE,
        "rule": RULE,
        "what": text(
            "whose flow; red, other port: another flow of the tenant that is to be stopped; blue, "
            "same flow: the other tenant's flow of the same five-tuple; or what is counted of "
            "conntrack's table"
        ),
        "count": integer(f"packets, of {PACKETS}, that arrived at the guest; or entries"),
        "forwarded": integer("packets that left the firewall"),
        "offered": integer("packets that arrived at the firewall"),
    },
    more={
        "cost": {
            "mode": MODE,
            "rule": RULE,
            "rules": integer("number of rules; the packets match none of them"),
            "round": integer("number of the round, from 1; each has another order of rules"),
            "us_per_packet": number(
                f"time from the start of a batch of {BATCH} packets until the last has passed the "
                "firewall, per packet [µs]; empty: some were lost"
            ),
        },
    },
)
