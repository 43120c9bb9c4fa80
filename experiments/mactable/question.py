"""Factors, predictions and columns of `mactable`."""

from controller.model.modes import MODES
from experiments.core.question import Prediction, Question, integer, text
from experiments.mactable.labs import is_tunnelled
from experiments.mactable.words import MISDELIVERED

QUESTION = Question(
    name="mactable",
    question="How does the MAC table of the underlay's switch grow with the number of guests, and "
    "what happens when it is full?",
    unit="entries",
    value="learned",
    factors={
        "mode": ("flat", "vlan", "gre-mesh", "vxlan-l2pop", "kvxlan-mesh"),
        "hosts": (4, 8),
    },
    report="mactable",
    predictions=(
        Prediction(
            claim="without tunnels, the table has one entry for each guest",
            reason="the frames of guests are on the wire, tagged or not, and the switch learns "
            "each source address",
            excludes=tuple(str(mode) for mode in MODES if is_tunnelled(str(mode))),
        ),
        Prediction(
            claim="with tunnels, the table has one entry for each host, however many guests there "
            "are",
            reason="every frame on the wire comes from a VTEP; the guests' addresses are inside it",
            excludes=("flat", "vlan"),
        ),
        Prediction(
            claim="with a full table, each frame for a guest without an entry goes to every host: "
            "hosts - 2 misdelivered copies; with tunnels there are none, as long as the table has "
            "room for all hosts",
            reason="a frame for an unknown address is flooded to all ports but the one it came from",
            about=MISDELIVERED,
            excludes=("kvxlan-l2pop",),  # its devices flood: Neutron does not know these guests
        ),
    ),
    columns={
        "mode": text("mode of the overlay"),
        "hosts": integer("compute hosts, each one VTEP"),
        "guests": integer(
            "MAC addresses that send frames, spread evenly over hosts; one interface per host sends "
            "for them, with port security off"
        ),
        "room": integer("size of the table in entries (fdb_max_learned); 0: no limit"),
        "learned": integer(
            "entries of the underlay's switch after each guest has sent a broadcast, host by host"
        ),
        "of_guests": integer("of those, addresses of guests"),
        "of_vteps": integer("of those, addresses of VTEPs"),
        "of_others": integer("of those, other addresses"),
        "unlearned": integer("guests whose broadcast never arrived at another host"),
        "in_br_tun": integer(
            "flows that br-tun of the first host has learned by then, or entries of its VXLAN device: "
            "for these guests, those of earlier steps, and interfaces that sent at start-up; empty "
            "without tunnels"
        ),
        "sent": integer("frames then sent by the first guest: one to each guest on another host"),
        "arrived": integer("of those, frames that arrived at the wire of their host"),
        MISDELIVERED: integer("copies of them that arrived at the wires of other hosts"),
    },
)
