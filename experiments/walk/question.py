"""What the experiment `walk` asks, what theory expects, and what its columns mean."""

from experiments.core.question import Prediction, Question, integer, number, text
from experiments.walk.words import INJECT, LATENCY, MTU, REACH, READS, SCAN, WALK

HIGHEST_MS = 0.1

QUESTION = Question(
    name="walk",
    question="Which headers has a packet at each hop between two sites, and what is the tunnel worth?",
    unit="",
    value="seen",
    factors={"tunnel": ("gre",)},
    report="walk",
    predictions=(
        Prediction(
            about=WALK,
            claim="the sender's address is changed before GRE goes round the packet; the WAN sees "
            "public addresses, then GRE without any, then the inner packet; in the far LAN only "
            "ARP is broadcast",
            reason="the kernel's POSTROUTING stands before the tunnel's interface, GRE has no "
            "field for an address (RFC 2784), and a switch that has heard a MAC sends there alone",
        ),
        Prediction(
            about=REACH,
            claim="the far private address answers through the tunnel, and without it the first "
            "router of the internet says that there is no such network",
            reason="routers of the internet have routes to public networks only",
        ),
        Prediction(
            about=MTU,
            claim="1468 bytes pass with DF, and of 1469 the home's own router says so; told a larger "
            "MTU than the wire's, the tunnel takes no more, and nobody says so",
            reason="1492 less IPv4's 20 and GRE's 4; a router knows its interface's MTU, and what "
            "a user-space switch's socket refuses it drops",
        ),
        Prediction(
            about=LATENCY,
            low=-HIGHEST_MS,
            high=HIGHEST_MS,
            claim="the round trip to the same router differs by less than 0.1 ms, through the tunnel or "
            "by public addresses",
            reason="both ways pass the same two switch daemons once in each direction; a header "
            "more costs far less than waking them up",
        ),
        Prediction(
            about=READS,
            claim="a router on the way reads all that the tunnel carries",
            reason="GRE encrypts nothing",
        ),
        Prediction(
            about=SCAN,
            claim="the attacker finds the office's public address and nothing behind it",
            reason="no router of the internet has a route to 10.100.0.0/24, and nobody listens at "
            "the public address",
        ),
        Prediction(
            about=INJECT,
            claim="GRE whose outer source is forged reaches the server, and a ping in it is answered "
            "to the attacker, outside of the tunnel; from its own address nothing arrives, nor "
            "where its router checks sources",
            reason="the outer source is all that the far end looks at, and an answer goes wherever "
            "the inner source says",
        ),
    ),
    columns={
        "tunnel": text("what joins the sites"),
        "about": text("what the check is about; each has a prediction of its own"),
        "check": text("what was looked at"),
        "seen": text("what was found: headers without Ethernet, a count, an address, a word"),
    },
    more={
        "hops": {
            "way": text("there: the request; back: its reply"),
            "hop": integer("in the order of passing, from 1"),
            "node": text("where"),
            "interface": text("which of its interfaces"),
            "packets": integer("how often it was seen there"),
            "stack": text("headers without Ethernet, outermost first, joined by ` | `"),
            "frame_bytes": integer("length of the frame, of the Ethernet header on"),
            "ttl": text("of each IP header, outermost first"),
            "eth_source": text("MAC that sent the frame"),
            "eth_target": text("MAC that it is for"),
        },
        "heard": {
            "node": text("a station of the called LAN"),
            "what": text("kind of packet, while the ping passed"),
            "target": text("MAC that the frame is for"),
            "packets": integer("how many came by"),
        },
        "rtts": {
            "path": text(
                "public: to the far router's public address; tunnel: to the same router through "
                "the tunnel; server: through it and on to the server"
            ),
            "batch": integer("pings of one process, from 1; the paths take turns"),
            "seq": integer("within the batch"),
            "rtt_ms": number("round trip [ms]; empty if lost"),
        },
        "scan": {
            "from_node": text("who asks"),
            "address": text("asked"),
            "port": text("TCP port, or `ping`"),
            "outcome": text("open; closed: a reset; unreachable: ICMP said so; silent"),
        },
        "injected": {
            "case": text("which packets"),
            "outer_source": text("claimed in the outer header"),
            "inner_source": text("claimed in the inner header"),
            "sent": integer("packets"),
            "arrived": integer("at eth0 of the server"),
            "answered": integer("replies at eth0 of the attacker"),
        },
        "pings": {
            "why": text("what was asked"),
            "ip_bytes": integer("IP packet"),
            "df": integer("1: with `do not fragment`"),
            "sent": integer("pings"),
            "answered": integer("of them"),
            "told_by": text("address that an ICMP error came from"),
        },
    },
)
