"""`overlaylab run state --quick`, for real: GRE and VXLAN send and keep what was foretold, and the same."""

import json
import subprocess
import sys
from pathlib import Path

from experiments.results import read

ROOT = Path(__file__).resolve().parents[2]
START = "import sys; from experiments.cli.main import main; sys.exit(main())"


def test_both_are_as_stateless_as_the_other(tmp_path, tmp_path_factory, monkeypatch):
    monkeypatch.setenv("OVERLAYLAB_RUN", str(tmp_path_factory.mktemp("labs")))
    options = ("--quick", "--seed", "7", "--format", "json", "--modes", "gre-mesh,vxlan-mesh")
    done = subprocess.run(
        (sys.executable, "-c", START, "run", "state", *options, "--out", str(tmp_path)),
        cwd=ROOT, capture_output=True, text=True, timeout=110, check=False,
    )  # fmt: skip

    assert done.returncode in {0, 3}, done.stderr  # 3: the machine was too busy to be trusted
    (told,) = json.loads(done.stdout)["runs"]
    assert told["findings"][0] == "48 of 48 cells equal their prediction"
    run = read(Path(told["directory"]))
    counts = {
        mode: {(row["what"], row["moment"]): row["count"] for row in run.rows
               if row["mode"] == mode and row["what"] != "ARP packets"}
        for mode in ("gre-mesh", "vxlan-mesh")
    }  # fmt: skip
    assert counts["gre-mesh"] == counts["vxlan-mesh"]
    assert counts["gre-mesh"]["tunnel packets", "set up and idle"] == 0
    assert counts["gre-mesh"]["tunnel packets", "first frame"] == 2
    assert (run.directory / "state.png").read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
