"""`overlaylab run migration`, for real: a silent guest stays dark where its MAC was learned."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from experiments.results import read

ROOT = Path(__file__).resolve().parents[2]
START = "import sys; from experiments.cli.main import main; sys.exit(main())"


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    if os.geteuid() != 0:
        pytest.skip("needs root")
    out, labs = tmp_path_factory.mktemp("out"), str(tmp_path_factory.mktemp("labs"))
    argv = ("migration", "--quick", "--modes", "vxlan-mesh,vxlan-l2pop", "--seed", "3", "--format",
            "json", "--out", str(out))  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", START, "run", *argv], cwd=ROOT, capture_output=True, text=True,
        check=False, timeout=110, env={**os.environ, "OVERLAYLAB_RUN": labs},
    )  # fmt: skip
    assert done.returncode in {0, 3}, done.stderr + done.stdout  # 3: the machine was too busy
    (told,) = json.loads(done.stdout)["runs"]
    return read(Path(told["directory"]))


def test_only_silence_is_dark(run):
    dark = {(row["mode"], row["way"], row["censored"]) for row in run.rows}

    assert dark == {
        ("vxlan-mesh", "announced", 0), ("vxlan-mesh", "silent", 1),
        ("vxlan-l2pop", "announced", 0), ("vxlan-l2pop", "silent", 1),
        ("vxlan-l2pop", "silent, unheard", 0),
    }  # fmt: skip


def test_the_guest_goes_to_and_fro_and_misses_what_is_sent_meanwhile(run):
    back = [row for row in run.rows if not row["censored"]]

    assert {row["to"] for row in run.rows} == {"computer", "computer2"}
    assert all(row["dark_ms"] > row["plugged_ms"] / 2 for row in back)
    # A datagram a millisecond: what is missing is what was sent in the dark.
    assert all(0.3 * row["dark_ms"] < row["lost"] < 1.1 * row["dark_ms"] for row in back)
