"""The question of `aa`: factors, predictions, columns."""

from experiments.aa.check import ALLOWED, DRAWS, PER_DRAW, chance_of_more
from experiments.core.question import Prediction, Question, integer, number, text

WARMUP, WARM = "warmup", "warm"

QUESTION = Question(
    name="aa",
    question="How often is a mode called different from itself, by what compares modes?",
    unit="ms",
    value="rtt_ms",
    factors={"mode": ("vxlan-l2pop",), "label": ("a", "b")},
    compared={"phase": WARM},
    report="aa",
    predictions=(
        Prediction(
            about="itself",
            claim=(f"of {DRAWS} draws of {PER_DRAW} blocks at most {ALLOWED} are called different"),
            reason=(
                "intervals of 95% leave out the truth one time in twenty, and more than "
                f"{ALLOWED} of {DRAWS} has a chance of {chance_of_more():.1%} (binomial)"
            ),
        ),
    ),
    columns={
        "mode": text("how the overlay is carried, the same in all labs"),
        "label": text("a or b: labs of a block differ in nothing else; their order is drawn"),
        "phase": text("warmup: thrown away; warm: compared"),
        "interval_ms": integer("interval asked of ping; it keeps a longer one"),
        "payload_bytes": integer("ICMP payload; the IP packet has 28 bytes more"),
        "seq": integer("ICMP sequence number within its phase, from 1"),
        "received_s": number("Unix time at which ping read the reply; empty if lost"),
        "rtt_ms": number("round-trip time as ping printed it (3 digits); empty if lost"),
        "copies": integer("replies beyond the first"),
    },
)
