"""What `latency` asks, and what theory says before we look."""

from experiments.core.question import Prediction, Question, integer, number, text
from experiments.core.verdict import Thresholds
from experiments.latency.cold import AS_RAISED, GUEST_ARP, LEARNED_FLOW, MEGAFLOW, VTEP_NEIGHBOUR
from experiments.latency.cold_kernel import KERNEL_ARP, KERNEL_AS_RAISED, KERNEL_FDB
from experiments.measure.ping import Requests

STAGE_COLUMNS = {
    "seq": integer("ICMP sequence number of the ping that was followed"),
    "direction": text(
        "request, answer (in the far guest), reply; or ping: what ping itself said of it"
    ),
    "stage": text(
        "guest-out: a guest's eth0 to its port on br-int; guest-in: the other way; switch, far-switch: between that port and the wire, in the pinging guest's host and in the far one; wire: between the hosts; answer: in the far guest; rtt: ping's own figure; unmatched: the ping was not seen once, in order, at every hop, and has no stages"
    ),
    "latency_us": number(
        "time between the stamps of two hops, in microseconds; rtt: as ping printed it"
    ),
    "note": text("why it is unmatched; or by how much its stages exceed ping's own figure"),
}

MAIN = Requests(count=0, interval_ms=10, payload_bytes=56)  # what effects are judged on
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
        claim="a tunnel, whichever, adds 0 to 0.1 ms to the untunnelled round trip",
        reason=(
            "a packet passes the same two switch daemons with a tunnel or without; encapsulation "
            "only adds a header there, which is far cheaper than waking the daemon up, and a warm "
            "unicast follows one rule of table 20 in either way of flooding"
        ),
        excludes=("flat", "vlan", *KERNEL_MODES),
    ),
    Prediction(
        about="encapsulation",
        low=-MARGIN_MS,
        high=MARGIN_MS,
        claim="GRE and VXLAN differ by less than 0.05 ms, over either way of flooding",
        reason=(
            "both are one tnl_push and one tnl_pop in the same daemon: a copied header of 42 or "
            "50 bytes, without a checksum over the payload in either"
        ),
    ),
    Prediction(
        about="flooding",
        low=-MARGIN_MS,
        high=MARGIN_MS,
        claim="l2population and mesh differ by less than 0.05 ms, over either encapsulation",
        reason=(
            "a warm unicast follows one rule of table 20 in both, stated or learned, and the "
            "datapath sees neither: its megaflow has the same two actions"
        ),
    ),
    Prediction(
        about="responder",
        low=-MARGIN_MS,
        high=MARGIN_MS,
        claim="the ARP responder makes less than 0.05 ms of a difference once warm",
        reason="a warm ping asks for no MAC",
    ),
    Prediction(
        about="kernel",
        low=-1.0,
        high=-0.05,
        claim="the kernel's VXLAN takes 0.05 to 1 ms less than Open vSwitch's in user space",
        reason=(
            "a packet stays in the kernel from guest to guest: no daemon is woken up, of which "
            "there are four wake-ups on the way there and back"
        ),
    ),
)

# Against a warm ping of the same form, one to a process.
COLD_PREDICTIONS = (
    Prediction(
        about=f"cold {AS_RAISED}",
        low=0.2,
        high=4.0,
        claim="the first ping of a fresh lab pays 0.2 to 4 ms, and is answered",
        reason=(
            "ARP and the request each find no megaflow anywhere, and in a mesh both are flooded; "
            "the VTEPs' MACs were told when the lab was raised, so nothing is dropped"
        ),
    ),
    Prediction(
        about=f"cold {GUEST_ARP}",
        low=0.05,
        high=2.0,
        claim="a guest without the MAC pays 0.05 to 2 ms: about one more round trip",
        reason=(
            "the request waits for ARP, which goes the same way and back, and whose broadcast "
            "has a megaflow of its own to be made; with the responder it turns at br-tun"
        ),
    ),
    Prediction(
        about=f"cold {LEARNED_FLOW}",
        low=-MARGIN_MS,
        high=1.0,
        claim="a far guest that br-tun forgot costs -0.05 to 1 ms and no loss",
        reason=(
            "an unknown unicast is flooded, by table 22, to every VTEP, the right one among them, "
            "and the revalidators have put that into the megaflow before the ping comes: what is "
            "paid are copies, which `fanout` counts, hardly time"
        ),
        excludes=("flat", "vlan", "gre-l2pop", "vxlan-l2pop", "vxlan-l2pop-arp"),
    ),
    Prediction(
        about=f"cold {MEGAFLOW}",
        low=0.1,
        high=3.0,
        claim="datapaths without megaflows cost 0.1 to 3 ms",
        reason=(
            "each lookup that misses is an upcall, translated through the tables in the daemon: "
            "one where a frame enters from a guest and two (underlay, tunnel) where it arrives, "
            "on the way there and on the way back; six with a tunnel"
        ),
    ),
    Prediction(
        about=f"cold {VTEP_NEIGHBOUR}",
        claim="a far VTEP without a MAC costs the packet: no answer comes",
        reason=(
            "OVS's native tunnel keeps nothing waiting: it asks by ARP and drops; the next one "
            "passes, or after a second, if the lost packet was the guest's own ARP"
        ),
        excludes=("flat", "vlan"),
    ),
    Prediction(
        about=f"cold {KERNEL_AS_RAISED}",
        low=0.0,
        high=0.5,
        claim="by the kernel, the first ping of a fresh lab pays 0 to 0.5 ms, and is answered",
        reason="ARP goes the same short way first; nothing is looked up in a daemon",
    ),
    Prediction(
        about=f"cold {KERNEL_ARP}",
        low=0.0,
        high=0.3,
        claim="by the kernel, a guest without the MAC pays 0 to 0.3 ms: about one more round trip",
        reason="ARP goes the same way there and back, or is answered by the proxy on the host",
    ),
    Prediction(
        about=f"cold {KERNEL_FDB}",
        low=-MARGIN_MS,
        high=0.3,
        claim="a far guest that the kernel's FDB forgot costs -0.05 to 0.3 ms and no loss",
        reason="an unknown unicast is flooded to every VTEP, the right one among them",
    ),
)

QUESTION = Question(
    name="latency",
    question="What does a tunnel cost a ping, and does the way of flooding matter once warm?",
    unit="ms",
    value="rtt_ms",
    factors={"mode": MODES},
    more={"stages": STAGE_COLUMNS},
    baseline={"mode": "flat"},
    compared={
        "path": "guest",
        "phase": "warm",
        "interval_ms": MAIN.interval_ms,
        "payload_bytes": MAIN.payload_bytes,
    },
    report="latency",
    predictions=(*WARM_PREDICTIONS, *COLD_PREDICTIONS),
    margin=MARGIN_MS,
    # Both are of round trips between machines, not of this testbed.
    margin_reason=(
        "by convention, a tenth of the 0.5 ms that a round trip within a data centre is reckoned at "
        "(J. Dean, Numbers Everyone Should Know, 2009; in 2021 still the 80th percentile between two "
        "machines of a cloud: evanjones.ca/network-latencies-2021.html)"
    ),
    columns={
        "mode": text("how the overlay is carried; flat is untunnelled through the same bridges"),
        "path": (
            text(
                "guest: between guests on two hosts, as the mode carries them; in the labs of flat "
                "also veth: between the same guests over a bare veth pair, same-host: between guests "
                "on one host, through one br-int, vtep: between the hosts, over br-vtep"
            )
        ),
        "phase": text("cold: one ping of its own; warmup: thrown away; warm: compared"),
        "cold": (
            text(
                "what a cold ping found cold: everything-as-raised (the first of a fresh lab), "
                "guest-arp, learned-flow (of br-tun), megaflow (both hosts), vtep-neighbour (and the "
                "source host's megaflows), nothing (a warm one of the same form); without Open vSwitch "
                "kernel-as-raised, kernel-guest-arp, kernel-fdb (of the VXLAN device); else empty"
            )
        ),
        "interval_ms": integer("interval asked of ping, 0: adaptive; run.json says which it kept"),
        "payload_bytes": integer("ICMP payload; the IP packet has 28 bytes more"),
        "seq": integer("ICMP sequence number from 1; of a cold ping: which of several"),
        "received_s": number("Unix time at which ping read the reply; empty if lost"),
        "rtt_ms": number("round-trip time as ping printed it (3 digits); empty if lost"),
        "copies": integer("replies beyond the first"),
    },
)

# Of the windows of the main condition and of the stages; a calm machine keeps them.
THRESHOLDS = Thresholds(
    cpu_idle_min=0.5,
    cpu_steal_max=0.05,
    vswitchd_load_max=0.9,
    lost_upcalls_max=0,
    # A guest's own first IPv6 words may be dropped at an upcall; a ping that is dropped is lost,
    # of which there may be none.
    drops_max=2,
    control_median_max_ms=0.2,
    control_lost_max=0,
    lost_max=0,
    duplicates_max=0,
)
