"""The question of `mtu`: factors, predictions, columns."""

from experiments.core.question import Prediction, Question, integer, number, text
from experiments.mtu.words import AFTER_ICMP

TCP_COLUMNS = {
    "outcome": text(
        "completes; hangs after the handshake: no bulk data was acknowledged until the deadline; "
        "unfinished: a part was; no handshake"
    ),
    "mss": integer("segment size of the sender's kernel at the end [bytes of payload]"),
    "sent_bytes": integer("accepted by the sender's kernel"),
    "acked_bytes": integer("bulk data acknowledged by the receiver's kernel"),
    "received_bytes": integer(
        "counted by the receiver; empty if it never saw the end of the stream"
    ),
    "seconds": number("from the greeting to the last byte, by the receiver's clock"),
    "retransmits": integer("segments that the sender's kernel retransmitted"),
}
GUEST = "too large: above the underlay's MTU; right: the largest packet found"
GUEST_MTU = integer("MTU of both guests [bytes]")
IP_BYTES = integer("IP packet that was sent; its ICMP payload has 28 bytes less")
DF = integer("1: with `do not fragment`; 0: without")

QUESTION = Question(
    name="mtu",
    question="What is the largest packet that passes, and what happens to larger ones?",
    unit="bytes",
    value="largest_bytes",
    factors={
        "mode": ("flat", "gre-mesh", "vxlan-l2pop", "geneve-l2pop", "kvxlan-mesh"),
        "underlay_mtu": (1500, 1600, 9000),
    },
    report="mtu",
    predictions=(
        Prediction(
            about="largest",
            claim="the largest IP packet is exactly the underlay's MTU minus 42 bytes for GRE with "
            "a key, minus 50 for VXLAN and Geneve, 20 more if VTEPs use IPv6; without a tunnel it is "
            "the underlay's MTU",
            reason="the outer IPv4 header takes 20 bytes (IPv6: 40) and the inner Ethernet header "
            "14; GRE adds 4 and its key 4 (RFC 2784, 2890), VXLAN and Geneve a UDP header of 8 and "
            "their own of 8 (RFC 7348, 8926)",
        ),
        Prediction(
            about="larger",
            claim="Open vSwitch drops larger packets without ICMP, with DF or without, before they "
            "are on the wire; only the guest's own kernel refuses or fragments them",
            reason="the path has switches only: none has an address to send ICMP from, and a "
            "user-space switch does not fragment what its socket refuses (EMSGSIZE)",
        ),
        Prediction(
            about="tcp",
            claim="over Open vSwitch, TCP hangs after the handshake if the guests' MTU is larger "
            "than the path's; with the right MTU it completes",
            reason="SYN and ACK are small, full segments are not, and the sender receives no ICMP",
        ),
        Prediction(
            about="goodput",
            claim="goodput rises with the guests' MTU up to the limit; over Open vSwitch it is zero "
            "above it",
            reason="the cost of a switch is per packet, not per byte; so is the kernel's, since "
            "guests here segment the data themselves (no segmentation offload)",
        ),
        Prediction(
            about="kernel",
            claim="kernel VXLAN sends ICMP only for packets up to 4 bytes over the limit, and the "
            "sender then knows the path's MTU; TCP sends longer packets and hangs until another "
            "packet has caused that ICMP; with the right MTU it completes",
            reason="a Linux bridge forwards packets that are longer by a VLAN tag, and the VXLAN "
            "device answers these itself, with the target's address (`skb_tunnel_check_pmtu`, since "
            "Linux 5.9); the bridge silently drops longer ones",
        ),
    ),
    columns={
        "mode": text("how the overlay is transported; flat: no tunnel, through the same bridges"),
        "underlay_mtu": integer("of every wire and bridge between the hosts [bytes]"),
        "guest_mtu": integer("of the guests during the search; above the underlay's [bytes]"),
        "largest_bytes": integer("largest IP packet that passes with DF, found by bisection"),
        "stopped_by": text(
            "path: one byte more was dropped on the path; guest's own MTU: it could not be sent"
        ),
        "steps": integer("sizes tried by the bisection"),
        "resumed": integer("times that the confirmation contradicted the search, which went on"),
        "answered_at": integer("pings answered at the largest size, in the last confirmation"),
        "sent_at": integer("pings sent at the largest size"),
        "answered_above": integer("pings answered one byte above, in the last confirmation"),
        "sent_above": integer("pings sent one byte above"),
    },
    more={
        "outcomes": {
            "guest": text(GUEST),
            "guest_mtu": GUEST_MTU,
            "size": text("name of the size; control: the limit again, before and after all others"),
            "ip_bytes": IP_BYTES,
            "df": DF,
            "sent": integer("pings sent"),
            "answered": integer("pings answered"),
            "outcome": text("what happened to the packets"),
            "reported_mtu": integer("MTU in the ICMP error or in the error of the own kernel"),
            "icmp_from": text("source address of the ICMP error"),
            "fragments": integer("fragments made by the sending guest's kernel (FragCreates)"),
            "guest_port_bytes": integer("from the sending guest into its switch, meanwhile"),
            "wire_out_bytes": integer("from the sending host to the underlay"),
            "wire_in_bytes": integer("from the underlay to the receiving host"),
            "far_port_bytes": integer("from the receiving host's switch to the guest"),
            "reached": text("the last of these places that every byte passed, or nowhere"),
        },
        "tcp": {
            "guest": text(f"{GUEST}; {AFTER_ICMP}: while pings search for it"),
            "guest_mtu": GUEST_MTU,
            **TCP_COLUMNS,
        },
        "goodput": {
            "guest_mtu": GUEST_MTU,
            "transfer": integer("from 1; each has one transfer with every MTU"),
            "mbit_s": number(
                "received bytes by their seconds; of a transfer that did not complete, bytes "
                "acknowledged until the deadline by the time until then"
            ),
            **TCP_COLUMNS,
        },
        "pings": {
            "ping": integer("number of the run of ping; raw/ has its output"),
            "why": text("search, confirm, or the name of the size"),
            "attempt": integer("from 1; a size without any answer is tried again"),
            "ip_bytes": IP_BYTES,
            "df": DF,
            "sent": integer("pings sent, all at once"),
            "answered": integer("pings answered"),
            "refused": integer("1: the own kernel did not send them (message too long)"),
        },
    },
)
