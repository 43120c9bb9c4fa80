"""The question of `state`: factors, predictions, columns."""

from experiments.core.question import Prediction, Question, integer, text
from experiments.state.words import OTHERS, STATE, TUNNEL

QUESTION = Question(
    name="state",
    question="What does a tunnel send before the first tenant frame, and what state does it keep?",
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
            claim="GRE, VXLAN and Geneve send no tunnel packet before the first tenant frame: to "
            "set up a tunnel is to configure the remote address",
            reason="neither GRE (RFC 2784) nor VXLAN (RFC 7348) has a handshake; a tunnel port is "
            "local configuration of the sender",
            about=TUNNEL,
        ),
        Prediction(
            claim="the only other packets are ARP, for VTEPs whose MAC is unknown, with any "
            "encapsulation; and IGMP where a multicast group is joined",
            reason="the outer packet needs a destination MAC like any IP packet on Ethernet; a "
            "switch that snoops must see which hosts join the group (RFC 4541)",
            about=OTHERS,
        ),
        Prediction(
            claim="GRE and VXLAN keep the same state: a tunnel port and a neighbour for each peer, "
            "and a learned entry (300 s) for each remote guest that has sent; no socket, and no "
            "conntrack entry even where a rule matches connection state. Kernel VXLAN keeps one "
            "UDP socket for all peers, one device for each network, and a conntrack entry for each "
            "remote VTEP that it sent to",
            reason="user-space OVS finds tunnel packets by its own rules, not by sockets, and "
            "its packets bypass netfilter; neither protocol has connections, but conntrack makes "
            "an entry for any packets that the kernel sends",
            about=STATE,
        ),
    ),
    columns={
        "mode": text("the overlay's mode"),
        "what": text(
            "what is counted. Packets: on the first host's wire, by outermost protocol; IGMP "
            "includes queries. State: of the first host; `learned`: of the second. Tunnel ports "
            "are those of br-tun, devices those of the kernel. Conntrack entries: of tunnels, with "
            "a rule that enables tracking. VTEP neighbours are configured by the lab until they "
            "are deleted"
        ),
        "moment": text(
            "set up and idle: all tunnel ports are deleted and created again, then no guest "
            "sends; first frame: one broadcast of a guest; VTEPs unknown: two more broadcasts "
            "after the first host's VTEP neighbours were deleted; before, after: the first frame"
        ),
        "count": integer("how many; for `kept for`: seconds"),
    },
)
