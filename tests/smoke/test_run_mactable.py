"""`overlaylab run mactable --quick`, for real: every entry and every stray copy is as foretold."""

import json
import subprocess
import sys
from pathlib import Path

from experiments.results import read

ROOT = Path(__file__).resolve().parents[2]
START = "import sys; from experiments.cli.main import main; sys.exit(main())"


def test_entries_and_copies_astray_are_exact(tmp_path, tmp_path_factory, monkeypatch):
    monkeypatch.setenv("OVERLAYLAB_RUN", str(tmp_path_factory.mktemp("labs")))
    options = ("--quick", "--seed", "7", "--format", "json", "--modes", "vlan", "--hosts", "3")
    done = subprocess.run(
        (sys.executable, "-c", START, "run", "mactable", *options, "--out", str(tmp_path)),
        cwd=ROOT, capture_output=True, text=True, timeout=110, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    (told,) = json.loads(done.stdout)["runs"]
    assert told["findings"][0] == "32 of 32 cells equal their prediction"
    run = read(Path(told["directory"]))
    assert {row["of_others"] for row in run.rows} == {0}
    assert [row["astray"] for row in run.rows] == [0, 0, 0, 0, 0, 64, 128, 341]
    assert (run.directory / "mactable.png").read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
