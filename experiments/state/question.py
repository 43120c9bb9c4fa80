"""The question of `state`: factors, predictions, columns."""

from experiments.core.question import Prediction, Question, integer, text
from experiments.state import report as words

QUESTION = Question(
    name="state",
    question="What does a tunnel send before the first tenant frame, and what is kept after it?",
    unit="packets or entries",
    value="count",
    factors={
        "mode": (
            "gre-mesh",
            "vxlan-mesh",
            "geneve-mesh",
            "vxlan-l2pop",
            "kvxlan-mesh",
            "kvxlan-multicast",
        )
    },
    report="state",
    predictions=(
        Prediction(
            claim="no tunnel packet before the first tenant frame, GRE as VXLAN as Geneve: a "
            "tunnel is set up by writing down its far end",
            reason="GRE has no handshake (RFC 2784), nor has VXLAN (RFC 7348); a port is the "
            "sender's own note",
            about=words.TUNNEL,
        ),
        Prediction(
            claim="nothing else on the wire but ARP, for each VTEP whose MAC is unknown, "
            "whatever the encapsulation; and IGMP, only where a multicast group is joined",
            reason="the outer packet needs a target MAC as any IP packet on Ethernet does; a "
            "switch that snoops must hear who wants the group (RFC 4541)",
            about=words.BESIDE,
        ),
        Prediction(
            claim="kept alike: per peer a tunnel port and a neighbour, per guest heard a learned "
            "entry (300 s); no socket, and no conntrack entry even where a rule asks for one; in "
            "the kernel one UDP socket for all peers, a device for each network, and a conntrack "
            "entry for each far end that was sent to",
            reason="user-space OVS finds tunnels by rules of its own, not by sockets, and sends "
            "past netfilter; neither protocol has a connection, but conntrack makes one of any "
            "packets that the kernel sends",
            about=words.KEPT,
        ),
    ),
    columns={
        "mode": text("how the overlay is carried"),
        "what": text(
            "what is counted: packets on the first host's wire by what is outermost; things "
            "that stand on the first host; tunnel ports are br-tun's, devices the kernel's; "
            "conntrack's (a rule there asks for it) are those of tunnels; IGMP: reports and queries; "
            "VTEP neighbours: told by the lab, until forgotten; `learned`: on the second"
        ),
        "moment": text(
            "set up and idle: all tunnel ports taken away and made anew, then silence; first "
            "frame: one broadcast of a guest; VTEPs unknown: two more after the first host forgot "
            "all VTEPs' MACs; before, after: the first frame"
        ),
        "count": integer("how many; of `kept for`: seconds"),
    },
)
