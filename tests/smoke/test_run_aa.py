"""`overlaylab run aa --quick`, for real: two labs alike, told without a claim."""

import json
import subprocess
import sys
from pathlib import Path

from experiments.probes.aa import AA
from experiments.question import of_point
from experiments.results import read

ROOT = Path(__file__).resolve().parents[2]
START = "import sys; from experiments.cli.main import main; sys.exit(main())"


def test_a_first_look_at_a_mode_against_itself(tmp_path, tmp_path_factory, monkeypatch):
    monkeypatch.setenv("OVERLAYLAB_RUN", str(tmp_path_factory.mktemp("labs")))
    argv = (
        "run",
        "aa",
        "--quick",
        "--modes",
        "gre-mesh",
        "--out",
        str(tmp_path),
        "--format",
        "json",
    )

    done = subprocess.run(
        (sys.executable, "-c", START, *argv), cwd=ROOT, capture_output=True, text=True,
        timeout=100, check=False,
    )  # fmt: skip

    assert done.returncode in {0, 3}, done.stderr  # 3: the machine was too busy to be trusted
    (told,) = json.loads(done.stdout)["runs"]
    found = read(Path(told["directory"]))
    assert found.about["status"] == "complete"
    assert {(row["mode"], row["label"]) for row in found.rows} == {
        ("gre-mesh", "a"),
        ("gre-mesh", "b"),
    }
    warm = of_point(found.rows, found.question.compared)
    assert len(warm) == 2 * AA.quick.warm.count
    assert "a first look at 1 block" in told["headline"]
    assert (found.directory / "aa.png").stat().st_size > 10_000
