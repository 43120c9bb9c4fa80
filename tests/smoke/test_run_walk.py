"""`overlaylab run walk --quick`, for real: files appear, parse and tell; never a timing."""

import json
import subprocess
import sys
from pathlib import Path

from experiments.results import read
from experiments.tell.walk import tell

ROOT = Path(__file__).resolve().parents[2]
START = "import sys; from experiments.cli.main import main; sys.exit(main())"
PNG = b"\x89PNG\r\n\x1a\n"


def test_a_first_look_follows_a_ping_from_site_to_site(tmp_path, tmp_path_factory, monkeypatch):
    monkeypatch.setenv("OVERLAYLAB_RUN", str(tmp_path_factory.mktemp("labs")))
    done = subprocess.run(
        (sys.executable, "-c", START, "run", "walk", "--quick", "--seed", "7", "--format", "json",
         "--out", str(tmp_path)),
        cwd=ROOT, capture_output=True, text=True, timeout=110, check=False,
    )  # fmt: skip

    assert done.returncode in {0, 3}, done.stderr  # 3: the machine was too busy to be trusted
    (told,) = json.loads(done.stdout)["runs"]
    directory = Path(told["directory"])
    run = read(directory)
    assert run.about["status"] == "complete"
    assert (run.about["scenario"], run.about["hosts"]) == (
        "home-office", ["home-router", "office-router"])  # fmt: skip
    foretold = {(row["about"], row["check"]): row["seen"] for row in run.about["foretold"]}
    assert {(row["about"], row["check"]): row["seen"] for row in run.rows} == foretold
    assert all(run.tables[name] for name in run.question.more)
    story = tell(run)
    assert story.findings[1] == "The article is inexact in 3 of its 11 steps: 2.2, 2.4, 5.1"
    for picture in story.pictures:
        assert (directory / f"{picture.name}.png").read_bytes().startswith(PNG)
    captures = {path.name for path in directory.glob("raw/*/walk-*.pcapng")}
    assert {"walk-pc.pcapng", "walk-isp1.pcapng", "walk-server.pcapng"} <= captures
