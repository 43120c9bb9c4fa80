"""The question of `fanout`: factors, predictions, columns."""

from experiments.core.question import Prediction, Question, integer, text

QUESTION = Question(
    name="fanout",
    question="How many copies of a broadcast leave a host, and how many of them are in vain?",
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
            claim="mesh: a frame for all, or for a stranger, is sent hosts - 1 times",
            reason=(
                "table 22 outputs to every tunnel port of the type, whoever has a guest there; "
                "an unknown unicast falls from table 20 into it"
            ),
            about="mesh",
        ),
        Prediction(
            claim="l2pop: it is sent members - 1 times, and never in vain",
            reason="table 22 has just the VTEPs that l2population named as flooding entries",
            about="l2pop",
        ),
        Prediction(
            claim="l2pop-arp: a request for a known address is not sent at all, one for an "
            "unknown address members - 1 times",
            reason="table 21 answers what it knows and passes the rest on to table 22",
            about="l2pop-arp",
        ),
        Prediction(
            claim="untunnelled: it is sent once, and the underlay's switch brings it to every host",
            reason="no head-end replication: the copies are made where the wires meet",
            about="vlan",
        ),
        Prediction(
            claim="kvxlan-multicast: one packet leaves, whatever the number of hosts, and reaches "
            "members alone",
            reason=(
                "the kernel sends it to the VNI's multicast group; the underlay's switch copies "
                "it to the ports where IGMP said that somebody has joined"
            ),
            about="kvxlan-multicast",
        ),
        Prediction(
            claim="kvxlan-mesh: a frame for all, or for a stranger, is sent hosts - 1 times",
            reason="the all-zeros entry of the device's FDB has every other VTEP, each a copy",
            about="kvxlan-mesh",
        ),
        Prediction(
            claim="kvxlan-l2pop: no ARP request is sent, be its address known or not; all else "
            "members - 1 times, never in vain",
            reason=(
                "the device's ARP proxy answers what it was told, and drops a request that it "
                "cannot answer; the all-zeros entry has members alone"
            ),
            about="kvxlan-l2pop",
        ),
    ),
    columns={
        "mode": text("how the overlay is carried; vlan is untunnelled through the same bridges"),
        "hosts": integer("compute hosts, each one VTEP"),
        "share": integer("percent of the hosts that have a guest on the network"),
        "members": integer("hosts that have a guest on the network, the sender's one of them"),
        "kind": text(
            "what was sent: an ARP request for a guest's address or for nobody's, another "
            "broadcast, or a frame to a MAC of nobody"
        ),
        "frame": integer("which of its kind, from 1"),
        "copies_sent": integer("packets with the frame's nonce that left the sender's host"),
        "arrived": integer("of those, packets that arrived at the VTEP they were sent to"),
        "unneeded": integer(
            "of those, packets that arrived at a host without a guest on the network"
        ),
        "heard": integer("deliveries of it to other guests"),
        "answered": integer("answers that the sender's own switch made of it (the ARP responder)"),
        "misdelivered": integer(
            "packets with its nonce anywhere else: relayed, misdirected, or come back"
        ),
    },
    more={
        "vteps": {
            "mode": text("as above"),
            "hosts": integer("as above"),
            "share": integer("as above"),
            "kind": text("as above"),
            "frame": integer("as above"),
            "host": text("the VTEP's host"),
            "is_member": integer("1 if it has a guest on the network"),
            "copies_sent": integer("packets with the frame's nonce that left it"),
            "arrived": integer("packets with the nonce that arrived here"),
            "heard": integer("deliveries of the frame to guests here"),
        },
        "interfaces": {
            "mode": text("as above"),
            "hosts": integer("as above"),
            "host": text("compute host"),
            "interface": text("its wire, or a guest's port"),
            "counted": integer("packets by its counters, between two readings"),
            "captured": integer("packets in its capture, between the same"),
        },
    },
)
