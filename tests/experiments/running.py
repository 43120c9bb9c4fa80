"""One experiment run by the command line in a separate process, with its own lab and result folders."""

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from experiments.core.results import Run, read

ROOT = Path(__file__).resolve().parents[2]
START = "import sys; from experiments.cli.main import main; sys.exit(main())"
PROGRESS = re.compile(
    r"^\S.*: (lab \d+ of \d+: .+|checking the quality of the run)\n", re.MULTILINE
)
PNG = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True)
class Done:
    """What a run printed, and its files."""

    stderr: str
    report: dict[str, Any]  # its entry in the JSON document
    run: Run

    def has_picture(self, name):
        return (self.run.directory / f"{name}.png").read_bytes().startswith(PNG)


def without_progress(stderr):
    """What a run printed on stderr, but the line for each lab."""
    return PROGRESS.sub("", stderr)


def quick_run(tmp_path_factory, experiment, *options):
    """The result of `overlaylab run EXPERIMENT --quick`; on a busy machine it may be unreliable."""
    if os.geteuid() != 0:
        pytest.skip("needs root")
    out, labs = (str(tmp_path_factory.mktemp(name)) for name in ("out", "labs"))
    argv = ("run", experiment, "--quick", "--seed", "7", *options, "--format", "json", "--out", out)
    done = subprocess.run(
        [sys.executable, "-c", START, *argv],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
        env={**os.environ, "OVERLAYLAB_RUN": labs},
    )
    assert done.returncode in {0, 3}, done.stderr + done.stdout  # 3: the machine was too busy
    (report,) = json.loads(done.stdout)["runs"]
    return Done(
        stderr=without_progress(done.stderr), report=report, run=read(Path(report["directory"]))
    )
