"""The question of `segments`: factors, predictions, columns."""

from controller.model.encap import NetworkType
from controller.model.modes import MODES
from experiments.core.question import Prediction, Question, integer, text

QUESTION = Question(
    name="segments",
    question="How many networks does each type keep apart, and how many can it name?",
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
            claim="every network is made, its guests reach each other, and no frame of it is "
            "ever heard in another one, though all have the same addresses: who asks for one by "
            "ARP is answered by its own network's guest alone",
            reason="each has a local VLAN of its own on every host (a bridge of its own, by the "
            "kernel's VXLAN), and an id of its own between them; frames are told apart by these, "
            "and nobody on the way looks at guests' IP addresses beyond one network",
        ),
        Prediction(
            claim="GRE names 2^32-1 networks, not the article's 2^24",
            reason="the key has 32 bits (RFC 2890); one that ends at 24 would mix networks "
            "1 and 16777217, which are tried at once, and would not show key 4294967295",
            excludes=(
                "local",
                "flat",
                "vlan",
                *(str(m) for m in MODES if m.network_type is not NetworkType.GRE),
            ),
        ),
    ),
    columns={
        "mode": text("the networks' type and way of flooding; local, flat and vlan have none"),
        "networks": integer("networks made at once"),
        "isolated": integer(
            "networks whose guests reached each other, and no frame of which leaked"
        ),
        "made": integer("networks that the API shows as ACTIVE"),
        "reached": integer(
            "networks in which either guest heard the other's broadcast and unicast"
        ),
        "leaks": integer(
            "marked frames heard in another network, or beyond the host of a local one"
        ),
        "labelled": integer("networks whose frames bore their id on every wire, and no other"),
        "refused": integer(
            "networks that the API refused: an id beyond either edge, or what is taken"
        ),
        "answered": integer(
            "networks in which an ARP request for the peer's address, the same in all, "
            "was answered by the peer alone, both ways"
        ),
    },
    more={
        "networks": {
            "network": text("its name"),
            "segmentation_id": integer("its id; none for flat and local"),
            "reached": integer("1 if either guest heard the other's broadcast and unicast"),
            "leaks": integer("marked frames of it heard elsewhere"),
            "on_wire": text(
                "what its frames were called on any wire: an id, or the interface if bare"
            ),
            "labelled": integer("1 if that is what it must be"),
            "answered": integer(
                "1 if ARP for the peer's address was answered by the peer alone, both ways"
            ),
        },
    },
)
