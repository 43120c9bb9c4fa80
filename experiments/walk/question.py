"""The question of `walk`: predictions and columns."""

from experiments.core.question import Prediction, Question, integer, number, text
from experiments.walk.words import INJECT, LATENCY, MTU, REACH, READS, SCAN, WALK

HIGHEST_MS = 0.1

QUESTION = Question(
    name="walk",
    question="Which headers does a packet have at each hop between two sites, and what does the "
    "tunnel provide?",
    unit="",
    value="seen",
    factors={"tunnel": ("gre",)},
    report="walk",
    predictions=(
        Prediction(
            about=WALK,
            claim="the source address is translated (SNAT) before GRE is added; on the WAN an IP "
            "header with public addresses comes first, then GRE without addresses, then the inner "
            "packet; in the far LAN only ARP is broadcast",
            reason="the kernel's POSTROUTING comes before the tunnel interface, GRE has no "
            "field for an address (RFC 2784), and a switch forwards to a MAC that it has learned "
            "through one port only",
        ),
        Prediction(
            about=REACH,
            claim="the far private address answers through the tunnel; without the tunnel the "
            "first router of the internet sends ICMP `network unreachable`",
            reason="routers of the internet have routes to public networks only",
        ),
        Prediction(
            about=MTU,
            claim="1468 bytes pass with DF, and for 1469 the home's own router sends ICMP; if the "
            "tunnel's MTU is set larger than the wire allows, larger packets do not pass either, "
            "and nobody sends ICMP",
            reason="1492 minus 20 for IPv4 and 4 for GRE is 1468; a router knows the MTU of its "
            "interface, and a user-space switch drops what its socket refuses",
        ),
        Prediction(
            about=LATENCY,
            low=-HIGHEST_MS,
            high=HIGHEST_MS,
            claim="the round trip to a router through the tunnel differs by less than 0.1 ms from "
            "the round trip to its public address",
            reason="both paths pass the same two switch daemons once in each direction; an extra "
            "header costs far less than waking them up",
        ),
        Prediction(
            about=READS,
            claim="a router on the path can read everything in the tunnel",
            reason="GRE encrypts nothing",
        ),
        Prediction(
            about=SCAN,
            claim="the attacker finds the office's public address and nothing behind it",
            reason="no router of the internet has a route to 10.100.0.0/24, and no service listens "
            "at the public address",
        ),
        Prediction(
            about=INJECT,
            claim="GRE with a forged outer source reaches the server, and a ping in it is answered "
            "to the attacker, outside the tunnel; nothing arrives from the attacker's own address, "
            "or if the attacker's router checks source addresses",
            reason="the far end checks only the outer source, and a reply goes to the inner source",
        ),
    ),
    columns={
        "tunnel": text("the tunnel between the sites"),
        "about": text("what the check is about; each has its own prediction"),
        "check": text("what was checked"),
        "seen": text("what was found: headers without Ethernet, a count, an address, or a word"),
    },
    more={
        "hops": {
            "way": text("there: the request; back: its reply"),
            "hop": integer("in the order of passing, from 1"),
            "node": text("the node that captured it"),
            "interface": text("the node's interface"),
            "packets": integer("how often it was captured there"),
            "stack": text("headers without Ethernet, outermost first, joined by ` | `"),
            "frame_bytes": integer("length of the frame, including the Ethernet header"),
            "ttl": text("TTL of each IP header, outermost first"),
            "eth_source": text("MAC that sent the frame"),
            "eth_target": text("MAC that the frame is sent to"),
        },
        "heard": {
            "node": text("a station of the called LAN"),
            "what": text("kind of packet, captured while the ping passed"),
            "target": text("MAC that the frame is sent to"),
            "packets": integer("how many were captured"),
        },
        "rtts": {
            "path": text(
                "public: to the far router's public address; tunnel: to the same router through "
                "the tunnel; server: through the tunnel and on to the server"
            ),
            "batch": integer("pings of one process, from 1; the paths take turns"),
            "seq": integer("within the batch"),
            "rtt_ms": number("round trip [ms]; empty if lost"),
        },
        "scan": {
            "from_node": text("the node that scans"),
            "address": text("the scanned address"),
            "port": text("TCP port, or `ping`"),
            "outcome": text(
                "open; closed: a reset; unreachable: ICMP; no answer; for a ping: yes or no"
            ),
        },
        "injected": {
            "case": text("which packets"),
            "outer_source": text("source in the outer header"),
            "inner_source": text("source in the inner header"),
            "sent": integer("packets"),
            "arrived": integer("at eth0 of the server"),
            "answered": integer("replies at eth0 of the attacker"),
        },
        "pings": {
            "why": text("what the pings were sent for"),
            "ip_bytes": integer("size of the IP packet"),
            "df": integer("1: with `do not fragment`"),
            "sent": integer("pings"),
            "answered": integer("of them"),
            "icmp_from": text("address that sent an ICMP error"),
        },
    },
)
