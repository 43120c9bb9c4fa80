"""The question of `mactable`: factors, predictions, columns."""

from controller.model.modes import MODES
from experiments.core.question import Prediction, Question, integer, text
from experiments.mactable import labs as stage

QUESTION = Question(
    name="mactable",
    question="How does the underlay switch's MAC table grow with guests, and what if it is full?",
    unit="entries",
    value="learned",
    factors={
        "mode": ("flat", "vlan", "gre-mesh", "vxlan-l2pop", "kvxlan-mesh"),
        "hosts": (4, 8),
    },
    report="mactable",
    predictions=(
        Prediction(
            claim="untunnelled: an entry for every guest",
            reason="guests' own frames are on the wire, tagged or not, and a switch learns "
            "the source of each",
            excludes=tuple(str(mode) for mode in MODES if stage.is_tunnelled(str(mode))),
        ),
        Prediction(
            claim="tunnelled: an entry for every host, however many guests",
            reason="all that is on the wire comes from a VTEP; guests' addresses are inside",
            excludes=("flat", "vlan"),
        ),
        Prediction(
            claim="a full table sends each frame for a guest that it has no entry of to every "
            "host: hosts - 2 copies astray; with tunnels none while hosts fit in",
            reason="an unknown address is flooded to all ports but the one it came from",
            about="astray",
            excludes=("kvxlan-l2pop",),  # its devices flood: they are told of no such guest
        ),
    ),
    columns={
        "mode": text("how the overlay is carried"),
        "hosts": integer("compute hosts, each one VTEP"),
        "guests": integer(
            "MAC addresses that speak, spread evenly over hosts; sent by one interface a "
            "host, port security off"
        ),
        "room": integer("entries that the table has room for (fdb_max_learned); 0: no limit"),
        "learned": integer(
            "entries of the underlay's switch when each guest has spoken once, host by host"
        ),
        "of_guests": integer("of those, guests' addresses"),
        "of_vteps": integer("of those, VTEPs' addresses"),
        "of_others": integer("of those, anybody else's"),
        "unheard": integer("guests whose broadcast never arrived at another host"),
        "in_br_tun": integer(
            "rules that the first host's br-tun, or entries that its VXLAN device, has learned "
            "by then, of these guests, of earlier steps, and of who spoke when it came up; empty untunnelled"
        ),
        "sent": integer("frames then sent by the first guest, one to each on another host"),
        "arrived": integer("of those, on the wire of the host they are for"),
        "astray": integer("copies of them on wires of other hosts"),
    },
)
