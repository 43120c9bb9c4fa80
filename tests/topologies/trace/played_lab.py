"""Labs whose switches answer from recorded output."""

import re
from dataclasses import dataclass, field
from pathlib import Path

from controller.model.modes import parse_mode, with_mode
from controller.model.overlay import Overlay
from topologies.scenario.load import load
from topologies.trace.trace import trace_frame

FOLDER = Path(__file__).parent / "played"
OWN = {
    "three": str(FOLDER / "three.yaml"),
    "mixed": str(FOLDER / "mixed.yaml"),
    "two": str(FOLDER / "two.yaml"),
}
SCENARIOS = {"side": "side-by-side", **OWN}


@dataclass
class PlayedLab:
    """Answers what was asked when it was recorded, and nothing else."""

    overlay: Overlay
    answers: dict[str, str]
    name: str = "played"
    asked: list[str] = field(default_factory=list)

    def run(self, host: str, *argv: str) -> str:
        self.asked.append(f"{host}: {' '.join(argv)}")
        return self.answers[self.asked[-1]]


def played(recording: str) -> PlayedLab:
    """The lab of `played/<recording>.txt`; its first word is a scenario or a mode."""
    lab, *more = recording.split(".")
    overlay = load(SCENARIOS.get(lab, "article")).overlay
    mode = more[0] if lab == "side" else lab
    carried = overlay if lab in {"own", *OWN} else with_mode(overlay, parse_mode(mode))
    text = (FOLDER / f"{recording}.txt").read_text()
    parts = re.split(r"^\$ (.*)\n", text, flags=re.MULTILINE)[1:]
    answers = (answer.strip() + "\n" for answer in parts[1::2])
    return PlayedLab(carried, dict(zip(parts[::2], answers, strict=True)))


def traced(recording: str, source: str, target: str, kind: str):
    return trace_frame(played(recording), source, target, kind)
