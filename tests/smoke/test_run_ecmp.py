"""`overlaylab run ecmp`, for real and through the command line."""

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
    """One run of four labs, and what it printed."""
    if os.geteuid() != 0:
        pytest.skip("needs root")
    out = tmp_path_factory.mktemp("out")
    argv = ("ecmp", "--quick", "--modes", "gre-mesh,vxlan-mesh", "--seed", "7", "--format", "json",
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


def test_gre_is_on_one_path_and_vxlan_spreads(run):
    cells = {
        (row["mode"], row["spines"], row["hash_policy"], row["pairs"], row["flows"]): row
        for row in run.rows
    }
    assert len(cells) == 2 * 2 * 3 * 2 * 10
    for spines in (2, 4):
        assert cells["gre-mesh", spines, 1, "one", 512]["most"] == 512
        assert cells["vxlan-mesh", spines, 1, "one", 512]["least"] >= 99
        assert cells["vxlan-mesh", spines, 2, "many", 512]["most"] == 512
        assert cells["gre-mesh", spines, 2, "many", 512]["least"] >= 99
    assert {row["torn"] for row in run.rows} == {0}


def test_every_flow_is_on_one_spine_of_those_listed(run):
    for row in run.rows[:: len(run.rows) // 20]:
        key = ("mode", "spines", "hash_policy", "pairs", "flows", "draw")
        there = [each for each in run.tables["spines"] if all(each[k] == row[k] for k in key)]
        assert len(there) == row["spines"]
        assert sum(each["on_it"] for each in there) == row["flows"]


def test_it_is_told_and_drawn(done, run):
    (told,) = json.loads(done.stdout)["runs"]
    assert told["findings"][0] == "180 of 180 cells foretold to polarise do: all on one spine"
    assert len(run.about["foretold"]) == 240
    assert (run.directory / "ecmp.png").read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    assert "by the number of flows" in (run.directory / "report.md").read_text()
