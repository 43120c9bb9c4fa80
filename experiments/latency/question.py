"""The question of `latency`: modes, predictions, columns."""

from experiments.core.question import Prediction, Question, integer, number, text
from experiments.core.verdict import Thresholds
from experiments.latency import words
from experiments.measure.ping import Requests

PING_COLUMNS = {  # of one echo request, as `Requests.rows` has them
    "interval_ms": integer("interval requested of ping, 0: adaptive; the real one is longer"),
    "payload_bytes": integer("ICMP payload; the IP packet has 28 bytes more"),
    "seq": integer("ICMP sequence number within its phase, from 1"),
    "received_s": number("Unix time at which ping read the reply; empty if lost"),
    "rtt_ms": number("round-trip time as ping printed it (3 digits); empty if lost"),
    "copies": integer("duplicate replies"),
}
STAGE_COLUMNS = {
    "seq": integer("ICMP sequence number of the ping that was followed"),
    "direction": text(
        "request, answer (in the far guest), reply; ping: what ping itself printed about it"
    ),
    "stage": text(
        "guest-out: from a guest's eth0 to its port on br-int; guest-in: the reverse; switch, "
        "far-switch: between that port and the wire, on the pinging guest's host and on the far "
        "one; wire: between the hosts; answer: in the far guest; rtt: ping's round-trip time; "
        "unmatched: the ping was not seen once, in order, at every hop, and has no stages"
    ),
    "latency_us": number(
        "time between two hops in microseconds, from capture timestamps; rtt: as ping printed it"
    ),
    "note": text("why it is unmatched; or by how much its stages exceed ping's round-trip time"),
}

MAIN = Requests(count=0, interval_ms=10, payload_bytes=56)  # the condition that is compared
MODES = (
    "flat",
    "gre-mesh",
    "gre-l2pop",
    "vxlan-mesh",
    "vxlan-l2pop",
    "vxlan-l2pop-arp",
    "kvxlan-mesh",
)
KERNEL_MODES = ("kvxlan-multicast", "kvxlan-mesh", "kvxlan-l2pop")
MARGIN_MS = 0.05

WARM_PREDICTIONS = (
    Prediction(
        low=0.0,
        high=0.1,
        claim="a tunnel of either type adds 0 to 0.1 ms to the round trip without a tunnel",
        reason=(
            "a packet passes the same two switch daemons with and without a tunnel; encapsulation "
            "only adds a header there, which is far cheaper than waking the daemon up, and known "
            "unicast matches one flow of table 20 in both flooding modes"
        ),
        excludes=("flat", "vlan", *KERNEL_MODES),
    ),
    Prediction(
        about="encapsulation",
        low=-MARGIN_MS,
        high=MARGIN_MS,
        claim="GRE and VXLAN differ by less than 0.05 ms, in both flooding modes",
        reason=(
            "both are one tnl_push and one tnl_pop in the same daemon: a header of 42 or 50 bytes "
            "is copied, and neither has a checksum over the payload"
        ),
    ),
    Prediction(
        about="flooding",
        low=-MARGIN_MS,
        high=MARGIN_MS,
        claim="l2population and mesh differ by less than 0.05 ms, with both encapsulations",
        reason=(
            "known unicast matches one flow of table 20 in both, installed or learned, and the "
            "datapath does not use that flow: its megaflow has the same two actions"
        ),
    ),
    Prediction(
        about="responder",
        low=-MARGIN_MS,
        high=MARGIN_MS,
        claim="the ARP responder changes warm round trips by less than 0.05 ms",
        reason="a warm ping needs no ARP",
    ),
    Prediction(
        about="kernel",
        low=-1.0,
        high=-0.05,
        claim="kernel VXLAN takes 0.05 to 1 ms less than Open vSwitch in user space",
        reason=(
            "a packet stays in the kernel from guest to guest; in user space a daemon is woken up "
            "four times per round trip"
        ),
    ),
)

# Compared with a ping of the same form, one per process, with no cache emptied.
FIRST_PREDICTIONS = (
    Prediction(
        about=words.first_ping(words.NEW_LAB),
        low=0.2,
        high=4.0,
        claim="the first ping in a new lab takes 0.2 to 4 ms longer, and is answered",
        reason=(
            "ARP and the request each find no megaflow on either host, and a mesh floods both; "
            "the VTEPs' MACs were set when the lab was started, so nothing is dropped"
        ),
    ),
    Prediction(
        about=words.first_ping(words.GUEST_ARP),
        low=0.05,
        high=2.0,
        claim="a missing ARP entry in the guest costs 0.05 to 2 ms: about one more round trip",
        reason=(
            "the request waits for ARP, which takes the same path there and back, and whose "
            "broadcast needs a megaflow of its own; with the responder, br-tun answers it"
        ),
    ),
    Prediction(
        about=words.first_ping(words.LEARNED_FLOW),
        low=-MARGIN_MS,
        high=1.0,
        claim="a missing learned flow on br-tun adds -0.05 to 1 ms and loses no packet",
        reason=(
            "table 22 floods an unknown unicast to every VTEP, including the right one, and the "
            "revalidators have changed the megaflow to flood before the ping arrives: it costs "
            "copies, which `fanout` counts, and hardly any time"
        ),
        excludes=("flat", "vlan", "gre-l2pop", "vxlan-l2pop", "vxlan-l2pop-arp"),
    ),
    Prediction(
        about=words.first_ping(words.MEGAFLOW),
        low=0.1,
        high=3.0,
        claim="missing megaflows cost 0.1 to 3 ms",
        reason=(
            "each lookup that misses is an upcall, which the daemon translates through its tables: "
            "one where a frame enters from a guest and two (underlay, tunnel) where it arrives, "
            "in each direction; six with a tunnel"
        ),
    ),
    Prediction(
        about=words.first_ping(words.VTEP_NEIGHBOUR),
        claim="a missing VTEP neighbour loses the packet: there is no reply",
        reason=(
            "an OVS tunnel queues no packet: it sends an ARP request and drops the packet; the "
            "next one passes, or one a second later if the lost packet was the guest's own ARP"
        ),
        excludes=("flat", "vlan"),
    ),
    Prediction(
        about=words.first_ping(words.KERNEL_NEW_LAB),
        low=0.0,
        high=0.5,
        claim="with kernel VXLAN, the first ping in a new lab takes 0 to 0.5 ms longer, and is answered",
        reason="ARP takes the same short path before it; no daemon looks anything up",
    ),
    Prediction(
        about=words.first_ping(words.KERNEL_ARP),
        low=0.0,
        high=0.3,
        claim=(
            "with kernel VXLAN, a missing ARP entry in the guest costs 0 to 0.3 ms: about one more "
            "round trip"
        ),
        reason="ARP takes the same path there and back, or the proxy on the host answers it",
    ),
    Prediction(
        about=words.first_ping(words.KERNEL_FDB),
        low=-MARGIN_MS,
        high=0.3,
        claim="a missing FDB entry of kernel VXLAN adds -0.05 to 0.3 ms and loses no packet",
        reason="an unknown unicast is flooded to every VTEP, including the right one",
    ),
)

QUESTION = Question(
    name="latency",
    question="How much does a tunnel add to a ping, and does the flooding mode matter once caches are warm?",
    unit="ms",
    value="rtt_ms",
    factors={"mode": MODES},
    more={"stages": STAGE_COLUMNS},
    baseline={"mode": "flat"},
    compared={
        "path": words.GUEST,
        "phase": words.WARM,
        "interval_ms": MAIN.interval_ms,
        "payload_bytes": MAIN.payload_bytes,
    },
    report="latency",
    predictions=(*WARM_PREDICTIONS, *FIRST_PREDICTIONS),
    margin=MARGIN_MS,
    # Both sources are about round trips between machines, not about this testbed.
    margin_reason=(
        "by convention, a tenth of the 0.5 ms usually given for a round trip within a data centre "
        "(J. Dean, Numbers Everyone Should Know, 2009; in 2021 still the 80th percentile between two "
        "machines of a cloud: evanjones.ca/network-latencies-2021.html)"
    ),
    columns={
        "mode": text(
            "encapsulation and flooding mode; flat has no tunnel and uses the same bridges"
        ),
        "path": text(
            "guest: between guests on two hosts, in the mode of the lab; only in labs of flat: veth: "
            "between the same guests over a veth pair without a switch, same-host: between guests "
            "on one host, through one br-int, vtep: between the hosts, over br-vtep"
        ),
        "phase": text("first: one ping from its own process; warmup: not used; warm: compared"),
        "cache": text(
            "the cache that a first ping found empty: new-lab (all, in a new lab), guest-arp, "
            "learned-flow (on br-tun), megaflow (on both hosts), vtep-neighbour (and megaflows on "
            "the source host), none (warm, but of the same form); without Open vSwitch "
            "kernel-new-lab, kernel-guest-arp, kernel-fdb (of the VXLAN device); otherwise empty"
        ),
        **PING_COLUMNS,
    },
)

# Of the windows of the main condition and of the stages.
THRESHOLDS = Thresholds(
    cpu_idle_min=0.5,
    cpu_steal_max=0.05,
    cpu_others_max=0.2,
    vswitchd_load_max=0.9,
    lost_upcalls_max=0,
    # A guest's first IPv6 packets may be dropped at an upcall; a dropped ping is a lost ping,
    # and none may be lost.
    drops_max=2,
    control_median_max_ms=0.2,
    control_lost_max=0,
    lost_max=0,
    duplicates_max=0,
)
