"""`overlaylab run filter`, for real and through the command line: every cell is as foretold."""

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
def done(tmp_path_factory):
    """One run of two labs, and what it printed."""
    if os.geteuid() != 0:
        pytest.skip("needs root")
    out = tmp_path_factory.mktemp("out")
    argv = ("filter", "--quick", "--modes", "gre-mesh,kvxlan-mesh", "--seed", "7", "--format", "json",
            "--out", str(out))  # fmt: skip
    return subprocess.run(
        [sys.executable, "-c", START, "run", *argv], cwd=ROOT, capture_output=True, text=True,
        check=False, timeout=110, env={**os.environ, "OVERLAYLAB_RUN": str(tmp_path_factory.mktemp("labs"))},
    )  # fmt: skip


@pytest.fixture(scope="module")
def run(done):
    assert done.returncode in {0, 3}, done.stderr  # 3: the machine was too busy to be trusted
    (told,) = json.loads(done.stdout)["runs"]
    return read(Path(told["directory"]))


def test_every_cell_is_as_foretold(done, run):
    (told,) = json.loads(done.stdout)["runs"]

    assert told["findings"][0] == "90 of 90 cells equal their prediction"
    count = {(row["mode"], row["rule"], row["what"]): row["count"] for row in run.rows}
    assert count["gre-mesh", "none", "red"] == 16
    assert count["gre-mesh", "inner, u32", "red"] == 0
    assert count["gre-mesh", "inner, u32", "blue, same flow"] == 16
    assert count["gre-mesh", "conntrack", "entries"] == 1
    assert count["kvxlan-mesh", "conntrack", "entries"] == 16
    assert count["kvxlan-mesh", "masquerade", "red"] == 16


def test_everything_was_offered_to_the_firewall(run):
    """So what did not come through was stopped there."""
    flows = [row for row in run.rows if row["rule"] != "conntrack"]
    assert flows
    assert {row["offered"] for row in flows} == {16}


def test_costs_and_rules_are_kept_and_drawn(run):
    kinds = {(row["rule"], row["rules"]) for row in run.tables["cost"]}
    assert kinds == {("none", 0), ("conntrack", 1), ("inner, nft", 1), ("inner, nft", 100),
                     ("inner, u32", 1), ("inner, u32", 100)}  # fmt: skip
    assert "@th,96,24" in next(run.directory.glob("raw/*kvxlan*/rules-inner-nft.txt")).read_text()
    assert (run.directory / "filter.png").read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
