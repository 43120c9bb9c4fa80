"""What the experiment `mtu` asks, what theory expects, and what its columns mean."""

from experiments.core.question import Prediction, Question, integer, number, text
from experiments.mtu.words import SOON_TOLD

TCP_COLUMNS = {
    "outcome": text(
        "completes; hangs after the handshake: nothing of the bulk was acknowledged until the deadline; unfinished: a part was; no handshake"
    ),
    "mss": integer("segment size that the sender's kernel used at the end [bytes of payload]"),
    "sent_bytes": integer("what the sender's kernel took"),
    "acked_bytes": integer("of the bulk, acknowledged by the far kernel"),
    "received_bytes": integer(
        "counted by the far end; empty if it never saw the end of the stream"
    ),
    "seconds": number("from the greeting to the last byte, by the far end's clock"),
    "retransmits": integer("segments that the sender's kernel sent again"),
}
GUEST = "too large: above the underlay's MTU; right: the largest packet found"

QUESTION = Question(
    name="mtu",
    question="What is the largest packet that passes, and what becomes of a larger one?",
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
            claim="the largest IP packet is the underlay's MTU less 42 bytes for GRE with a key, "
            "less 50 for VXLAN and Geneve, 20 more where VTEPs speak IPv6, and all of it untunnelled; "
            "to the byte",
            reason="the outer IPv4 header takes 20 bytes (IPv6: 40) and the inner Ethernet header 14; GRE "
            "adds 4 and its key 4 (RFC 2784, 2890), VXLAN and Geneve a UDP header of 8 and their "
            "own of 8 (RFC 7348, 8926)",
        ),
        Prediction(
            about="larger",
            claim="by Open vSwitch a larger packet vanishes in silence, with DF or without, before it "
            "is on the wire; only the guest's own kernel ever refuses or fragments",
            reason="the path is switches alone: none has an address to send ICMP from, and a "
            "user-space switch does not fragment what its socket refuses (EMSGSIZE)",
        ),
        Prediction(
            about="tcp",
            claim="by Open vSwitch with guests' MTU above the path's TCP shakes hands and then hangs; "
            "with the right one it completes",
            reason="SYN and ACK are small, full segments are not, and no ICMP tells the sender",
        ),
        Prediction(
            about="goodput",
            claim="goodput rises with guests' MTU up to the limit; by Open vSwitch it is nil above it",
            reason="a switch pays by the packet, not by the byte; so does the kernel's, since guests here "
            "cut their packets themselves (no segmentation offload)",
        ),
        Prediction(
            about="kernel",
            claim="by the kernel's VXLAN, who sends a packet of up to 4 bytes too many is told by ICMP, "
            "and knows from then on; TCP, whose packets are longer, hangs all the same, until another "
            "packet was told of; with the right MTU it completes",
            reason="a Linux bridge lets pass what is longer by a VLAN tag, and the VXLAN device "
            "answers that itself, as from the target (`skb_tunnel_check_pmtu`, since Linux 5.9); "
            "what is longer still, the bridge drops in silence",
        ),
    ),
    columns={
        "mode": text("how the overlay is carried; flat is untunnelled through the same bridges"),
        "underlay_mtu": integer("of every wire and bridge between the hosts [bytes]"),
        "guest_mtu": integer(
            "of the guests while searching; above the underlay's on purpose [bytes]"
        ),
        "largest_bytes": integer("largest IP packet that passes with DF, found by bisection"),
        "stopped_by": text(
            "path: the next byte vanished on the way; guest's own MTU: it could not be sent"
        ),
        "steps": integer("sizes tried by the bisection"),
        "resumed": integer("times that the confirmation sent the search back"),
        "answered_at": integer("pings answered at the largest size, in the last confirmation"),
        "sent_at": integer("pings sent there"),
        "answered_above": integer("pings answered one byte above, in the last confirmation"),
        "sent_above": integer("pings sent there"),
    },
    more={
        "outcomes": {
            "guest": text(GUEST),
            "guest_mtu": integer("MTU of both guests [bytes]"),
            "size": text(
                "what the size is; control: the limit once more, before and after the others"
            ),
            "ip_bytes": integer("IP packet that was sent; its ICMP payload has 28 bytes less"),
            "df": integer("1: with `do not fragment`; 0: without"),
            "sent": integer("pings"),
            "answered": integer("of them"),
            "outcome": text("what became of them"),
            "told_mtu": integer("MTU that ICMP, or the own kernel, told"),
            "told_by": text("address that the ICMP came from"),
            "fragments": integer("made by the sending guest's kernel (FragCreates)"),
            "guest_port_bytes": integer(
                "that came out of the sending guest into its switch, meanwhile"
            ),
            "wire_out_bytes": integer("that left the sending host for the underlay"),
            "wire_in_bytes": integer("that reached the far host"),
            "far_port_bytes": integer("that left the far switch for the guest"),
            "went_as_far_as": text("the last of these places that carried every byte, or nowhere"),
        },
        "tcp": {
            "guest": text(f"{GUEST}; {SOON_TOLD}: while pings search it"),
            "guest_mtu": integer("MTU of both guests [bytes]"),
            **TCP_COLUMNS,
        },
        "goodput": {
            "guest_mtu": integer("MTU of both guests [bytes]"),
            "transfer": integer("from 1; MTUs take turns"),
            "mbit_s": number(
                "bytes that arrived over their seconds; of a transfer that did not complete, "
                "what was acknowledged until the deadline over that"
            ),
            **TCP_COLUMNS,
        },
        "pings": {
            "ping": integer("number of the run of ping; raw/ has what it said"),
            "why": text("search, confirm, or what the size is"),
            "attempt": integer("from 1; a silence of the search is doubted"),
            "ip_bytes": integer("IP packet that was sent"),
            "df": integer("1: with `do not fragment`; 0: without"),
            "sent": integer("pings, all at once"),
            "answered": integer("of them"),
            "refused": integer("1: the own kernel did not send (message too long)"),
        },
    },
)
