"""What the experiment `walk` asks, what theory expects, and what its columns mean."""

from experiments.core.question import Prediction, Question
from experiments.walk.words import INJECT, LATENCY, MTU, REACH, READS, SCAN, WALK

HIGHEST_MS = 0.1

WALK_QUESTION = Question(
    name="walk",
    asks="Which headers has a packet at each hop between two sites, and what is the tunnel worth?",
    unit="",
    value="seen",
    factors={"tunnel": ("gre",)},
    teller="walk",
    predictions=(
        Prediction(
            of=WALK,
            says="the sender's address is changed before GRE goes round the packet; the WAN sees "
            "public addresses, then GRE without any, then the inner packet; in the far LAN only "
            "ARP is broadcast",
            because="the kernel's POSTROUTING stands before the tunnel's interface, GRE has no "
            "field for an address (RFC 2784), and a switch that has heard a MAC sends there alone",
        ),
        Prediction(
            of=REACH,
            says="the far private address answers through the tunnel, and without it the first "
            "router of the internet says that there is no such network",
            because="routers of the internet have routes to public networks only",
        ),
        Prediction(
            of=MTU,
            says="1468 bytes pass with DF, and of 1469 the home's own router says so; told a larger "
            "MTU than the wire's, the tunnel takes no more, and nobody says so",
            because="1492 less IPv4's 20 and GRE's 4; a router knows its interface's MTU, and what "
            "a user-space switch's socket refuses it drops",
        ),
        Prediction(
            of=LATENCY,
            low=-HIGHEST_MS,
            high=HIGHEST_MS,
            says="the round trip to the same router differs by less than 0.1 ms, through the tunnel or "
            "by public addresses",
            because="both ways pass the same two switch daemons once in each direction; a header "
            "more costs far less than waking them up",
        ),
        Prediction(
            of=READS,
            says="a router on the way reads all that the tunnel carries",
            because="GRE encrypts nothing",
        ),
        Prediction(
            of=SCAN,
            says="the attacker finds the office's public address and nothing behind it",
            because="no router of the internet has a route to 10.100.0.0/24, and nobody listens at "
            "the public address",
        ),
        Prediction(
            of=INJECT,
            says="GRE whose outer source is forged reaches the server, and a ping in it is answered "
            "to the attacker, outside of the tunnel; from its own address nothing arrives, nor "
            "where its router checks sources",
            because="the outer source is all that the far end looks at, and an answer goes wherever "
            "the inner source says",
        ),
    ),
    columns={
        "tunnel": "what joins the sites",
        "about": "what the check is about; each has a prediction of its own",
        "check": "what was looked at",
        "seen": "what was found: headers without Ethernet, a count, an address, a word",
    },
    more={
        "hops": {
            "way": "there: the request; back: its reply",
            "hop": "in the order of passing, from 1",
            "node": "where",
            "interface": "which of its interfaces",
            "packets": "how often it was seen there",
            "stack": "headers without Ethernet, outermost first, joined by ` | `",
            "frame_bytes": "length of the frame, of the Ethernet header on",
            "ttl": "of each IP header, outermost first",
            "eth_source": "MAC that sent the frame",
            "eth_target": "MAC that it is for",
        },
        "heard": {
            "node": "a station of the called LAN",
            "what": "kind of packet, while the ping passed",
            "target": "MAC that the frame is for",
            "packets": "how many came by",
        },
        "rtts": {
            "path": "public: to the far router's public address; tunnel: to the same router through "
            "the tunnel; server: through it and on to the server",
            "batch": "pings of one process, from 1; the paths take turns",
            "seq": "within the batch",
            "rtt_ms": "round trip [ms]; empty if lost",
        },
        "scan": {
            "from_node": "who asks",
            "address": "asked",
            "port": "TCP port, or `ping`",
            "outcome": "open; closed: a reset; unreachable: ICMP said so; silent",
        },
        "injected": {
            "case": "which packets",
            "outer_source": "claimed in the outer header",
            "inner_source": "claimed in the inner header",
            "sent": "packets",
            "arrived": "at eth0 of the server",
            "answered": "replies at eth0 of the attacker",
        },
        "pings": {
            "why": "what was asked",
            "ip_bytes": "IP packet",
            "df": "1: with `do not fragment`",
            "sent": "pings",
            "answered": "of them",
            "told_by": "address that an ICMP error came from",
        },
    },
)
