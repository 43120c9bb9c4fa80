"""A small run: as values, and as files from which a report can be built."""

from pathlib import Path

from matplotlib.figure import Figure

from experiments.core.question import Prediction, Question, number, text
from experiments.core.results import Recorder, Run, frame
from experiments.show.report import CONFIRMED, Outcome, Picture, Report, Table

QUESTION = Question(
    name="toll",
    question="What does a tunnel cost?",
    unit="ms",
    value="rtt_ms",
    factors={"mode": ("flat", "gre-mesh")},
    columns={
        "mode": text("how the overlay is transported"),
        "rtt_ms": number("round-trip time; empty if lost"),
    },
    predictions=(
        Prediction(
            claim="a tunnel adds 0 to 0.1 ms", reason="it only adds a header", low=0.0, high=0.1
        ),
    ),
    baseline={"mode": "flat"},
    margin=0.05,
    margin_reason="it is less than the jitter",
)
ABOUT = {
    "experiment": "toll",
    "question": QUESTION.to_json(),
    "predicted": [],
    "quick": False,
    "repeats": 6,
    "settings": {"pings": 5},
    "scenario": "article",
    "hosts": ["a", "b"],
    "release": "queens",
    "seed": 7,
    "lab": {"datapath": "netdev", "app": "os-ken"},
    "argv": ["run.py", "toll", "--seed", "7"],
    "source": {"git_revision": "0" * 40, "git_dirty": False},
    "machine": {
        "cpu": "A <fast> & good one",
        "cpus": 2,
        "kernel": "6.1",
        "tools": {"ovs": "3.1.0"},
        "sysctls": {"net.ipv4.conf.all.arp_ignore": 1},
    },
    "thresholds": {"cpu_idle_min": 0.5, "drops_max": 0, "control_lost_max": None},
    "measured": [
        {"windows": [{"length_s": 1.0, "cpu_idle": 0.97, "drops": 0}]},
        {"windows": [{"length_s": 3.0, "cpu_idle": 0.81, "drops": 0}]},
    ],
    "start": "2026-11-23T01:43:38Z",
    "end": "2026-11-23T01:44:38Z",
    "status": "complete",
    "verdict": {"trusted": True, "reasons": [], "thresholds": {}},
}
DOUBTED = {"trusted": False, "reasons": ["CPU idle 20% in repeat 1, flat; wanted at least 50%"]}
SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="504pt" height="252pt" viewBox="0 0 504 252"/>'


def small_report(**about) -> Report:
    """A run with one finding, one prediction, one table and one picture."""
    run = Run(
        Path("20261123T014338Z-toll"),
        QUESTION,
        {**ABOUT, **about},
        {"samples": frame((), QUESTION.tables()["samples"])},
    )
    return Report(
        run=run,
        findings=("gre-mesh is within ±0.05 ms of flat",),
        outcomes=(
            Outcome(
                claim="a tunnel adds 0 to 0.1 ms",
                reason="it only adds a header",
                outcome=CONFIRMED,
                found="gre-mesh adds 0.02 ms",
            ),
        ),
        tables=(
            Table(
                title="By level",
                heads=("level", "median", "lost|late", "spread"),
                words=("level",),
                note="In ms.",
                rows=(("flat", "0.448", "0", "-"), ("gre-mesh", "0.468", "1|2", "-")),
            ),
        ),
        pictures=(
            Picture(
                name="toll",
                title="Every sample",
                alternative='Boxes of "rtt"',
                draw=lambda _: Figure(),
            ),
        ),
        conditions="6 repeats; scenario article",
    )


def write_run(parent: Path, name: str = "toll", *, repeats: int = 6, **about) -> Path:
    """A run's folder, with six samples of each level in each repeat."""
    recorder = Recorder(parent, name, QUESTION.tables())
    recorder.about({**ABOUT, **about})
    recorder.samples(
        {
            "repeat": repeat,
            "order": order,
            "mode": mode,
            "rtt_ms": round(base + repeat / 500 + step / 300, 3),
        }
        for repeat in range(1, repeats + 1)
        for order, (mode, base) in enumerate((("flat", 0.4), ("gre-mesh", 0.6)), start=1)
        for step in range(6)
    )
    return recorder.directory
