"""The question of `segments`: factors, predictions, columns."""

from controller.model.encap import NetworkType
from controller.model.modes import MODES
from experiments.core.question import Prediction, Question, integer, text

QUESTION = Question(
    name="segments",
    question="How many networks does each type isolate from each other, and how many ids does it "
    "have?",
    unit="networks",
    value="isolated",
    factors={
        "mode": (
            "local",
            "flat",
            "vlan",
            "gre-mesh",
            "vxlan-mesh",
            "vxlan-l2pop",
            "geneve-mesh",
            "kvxlan-mesh",
            "kvxlan-multicast",
        ),
        "networks": (64,),
    },
    report="segments",
    predictions=(
        Prediction(
            claim="every network is made, its guests reach each other, and no other network "
            "receives a frame of it, although all have the same addresses; only the guest of its "
            "own network answers an ARP request",
            reason="each network has its own local VLAN on every host (with kernel VXLAN its own "
            "bridge) and its own id between hosts; only these select the network of a frame, "
            "not the IP addresses of guests",
        ),
        Prediction(
            claim="GRE has ids for 2³²-1 networks, not 2²⁴ as in the article",
            reason="the key has 32 bits (RFC 2890); a key of 24 bits would mix networks "
            "1 and 16777217, which exist at the same time, and could not be 4294967295",
            excludes=(
                "local",
                "flat",
                "vlan",
                *(str(m) for m in MODES if m.network_type is not NetworkType.GRE),
            ),
        ),
    ),
    columns={
        "mode": text("network type and flooding method; local, flat and vlan do not flood"),
        "networks": integer("networks that exist at the same time"),
        "isolated": integer("networks whose guests reach each other and of which no frame leaks"),
        "made": integer("networks that are ACTIVE in the API"),
        "reached": integer(
            "networks in which both guests receive the other's broadcast and unicast"
        ),
        "leaks": integer(
            "marked frames received in another network or, of a local network, on another host"
        ),
        "labelled": integer("networks whose frames have their id on every wire, and no other id"),
        "refused": integer(
            "networks that the API refuses: an id out of range, or one that is in use"
        ),
        "answered": integer(
            "networks in which only the peer answers an ARP request for its address, which is the "
            "same in all networks; both ways"
        ),
    },
    more={
        "networks": {
            "network": text("its name"),
            "segmentation_id": integer("its id; empty for flat and local"),
            "reached": integer("1 if both guests receive the other's broadcast and unicast"),
            "leaks": integer("frames of it that are received elsewhere"),
            "on_wire": text("the ids of its frames on any wire; without an id, the interface"),
            "labelled": integer("1 if that is as it must be"),
            "answered": integer(
                "1 if only the peer answers an ARP request for its address, both ways"
            ),
        },
    },
)
