"""The question of `aa`: factors, predictions, columns."""

from experiments.aa.words import (
    ALLOWED,
    DRAWS,
    FALSE_POSITIVES,
    LABELS,
    PER_DRAW,
    WARM,
    chance_of_more,
)
from experiments.core.question import Prediction, Question, text
from experiments.latency.question import PING_COLUMNS

QUESTION = Question(
    name="aa",
    question="How often does the comparison of modes find a difference between a mode and itself?",
    unit="ms",
    value="rtt_ms",
    factors={"mode": ("vxlan-l2pop",), "label": LABELS},
    compared={"phase": WARM},
    report="aa",
    predictions=(
        Prediction(
            about=FALSE_POSITIVES,
            claim=f"at most {ALLOWED} of {DRAWS} comparisons, each of {PER_DRAW} repeats, are false "
            "positives",
            reason="a 95% interval excludes the true value one time in twenty, and more than "
            f"{ALLOWED} of {DRAWS} has a chance of {chance_of_more():.1%} (binomial)",
        ),
    ),
    columns={
        "mode": text("encapsulation and flooding mode, the same in all labs"),
        "label": text("a or b: the labs of a repeat differ in nothing else; their order is random"),
        "phase": text("warmup: not used; warm: compared"),
        **PING_COLUMNS,
    },
)
