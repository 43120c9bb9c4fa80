"""The question of `fanout`: factors, predictions, columns."""

from experiments.core.question import Prediction, Question, integer, text

COLUMNS = {
    "mode": text("network type and flooding method; vlan: the same bridges, no tunnel"),
    "hosts": integer("compute hosts, each with one VTEP"),
    "share": integer("percent of the hosts that have a guest on the network"),
    "members": integer("hosts that have a guest on the network, with the sender's"),
    "kind": text(
        "what was sent: an ARP request for the address of a guest or for an unused one, another "
        "broadcast, or a frame to an unused MAC address"
    ),
    "frame": integer("number of the frame among those of its kind, from 1"),
    "copies_sent": integer("packets with the frame's nonce that left the sender's host"),
    "arrived": integer("of those, packets that arrived at the VTEP they were sent to"),
    "unneeded": integer("of those, packets that arrived at a host without a member"),
    "delivered": integer("deliveries of the frame to other guests"),
    "answered": integer("ARP replies from the sender's own switch (the ARP responder)"),
    "misdelivered": integer(
        "packets with the frame's nonce anywhere else: relayed, at the wrong host, or back at "
        "the sender"
    ),
}
SHARED = {name: COLUMNS[name] for name in ("mode", "hosts", "share", "kind", "frame")}

QUESTION = Question(
    name="fanout",
    question="How many copies of a broadcast leave a host, and how many arrive at hosts without "
    "a member of the network?",
    unit="copies",
    value="copies_sent",
    factors={
        "mode": (
            "vlan",
            "gre-mesh",
            "gre-l2pop",
            "vxlan-mesh",
            "vxlan-l2pop",
            "vxlan-l2pop-arp",
            "kvxlan-multicast",
            "kvxlan-mesh",
            "kvxlan-l2pop",
        ),
        "hosts": (2, 4, 8, 16),
    },
    report="fanout",
    predictions=(
        Prediction(
            claim="in a mesh, a broadcast or an unknown unicast is sent hosts - 1 times",
            reason="table 22 outputs to every tunnel port of the type, to members and others; "
            "an unknown unicast goes from table 20 to table 22",
            about="mesh",
        ),
        Prediction(
            claim="with l2population, it is sent members - 1 times, and no copy is unneeded",
            reason="table 22 outputs only to the VTEPs that l2population has as flooding entries",
            about="l2pop",
        ),
        Prediction(
            claim="with the ARP responder, an ARP request for a known address is not sent; one for "
            "an unknown address is sent members - 1 times",
            reason="table 21 answers requests for known addresses and passes others to table 22",
            about="l2pop-arp",
        ),
        Prediction(
            claim="with VLAN, it is sent once, and the underlay's switch copies it to every host",
            reason="without a tunnel there is no head-end replication",
            about="vlan",
        ),
        Prediction(
            claim="with kernel VXLAN and multicast, one packet is sent for any number of hosts, "
            "and only members receive it",
            reason="the kernel sends it to the multicast group of the VNI; the underlay's switch "
            "copies it to ports from which it has received an IGMP join",
            about="kvxlan-multicast",
        ),
        Prediction(
            claim="in a mesh of kernel VXLAN, a broadcast or an unknown unicast is sent hosts - 1 "
            "times",
            reason="the all-zeros FDB entry of the VXLAN device has every other VTEP, and the "
            "kernel sends a copy to each",
            about="kvxlan-mesh",
        ),
        Prediction(
            claim="with kernel VXLAN and l2population, no ARP request is sent; other broadcasts "
            "and unknown unicasts are sent members - 1 times, and no copy is unneeded",
            reason="the ARP proxy of the VXLAN device answers requests for known addresses and "
            "drops others; the all-zeros FDB entry has only members",
            about="kvxlan-l2pop",
        ),
    ),
    columns=COLUMNS,
    more={
        "vteps": {
            **SHARED,
            "host": text("the VTEP's host"),
            "is_member": integer("1 if it has a guest on the network"),
            "copies_sent": integer("packets with the frame's nonce that left it"),
            "arrived": integer("packets with the frame's nonce that arrived here"),
            "delivered": integer("deliveries of the frame to guests here"),
        },
        "interfaces": {
            "mode": COLUMNS["mode"],
            "hosts": COLUMNS["hosts"],
            "host": text("compute host"),
            "interface": text("`underlay`, or the port of a guest"),
            "counted": integer("packets by its counters, between two readings"),
            "captured": integer("packets in its capture, between the same readings"),
        },
    },
)
