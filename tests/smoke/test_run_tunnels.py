"""`overlaylab run tunnels --quick`, for real: ports are as foretold, and files tell; never a timing."""

import json
import subprocess
import sys
from pathlib import Path

from experiments.results import read

ROOT = Path(__file__).resolve().parents[2]
START = "import sys; from experiments.cli.main import main; sys.exit(main())"


def test_ports_are_exact_and_their_cost_is_told_apart_from_arithmetic(
    tmp_path, tmp_path_factory, monkeypatch
):
    monkeypatch.setenv("OVERLAYLAB_RUN", str(tmp_path_factory.mktemp("labs")))
    options = ("--quick", "--seed", "7", "--format", "json", "--modes", "gre-l2pop,kvxlan-mesh", "--hosts", "3")  # fmt: skip
    done = subprocess.run(
        (sys.executable, "-c", START, "run", "tunnels", *options, "--out", str(tmp_path)),
        cwd=ROOT, capture_output=True, text=True, timeout=110, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    (told,) = json.loads(done.stdout)["runs"]
    assert told["findings"][0] == "24 of 24 cells equal their prediction"
    run = read(Path(told["directory"]))
    ports = {(row["mode"], row["membership"]): row["ports_in_all"] for row in run.rows}
    assert ports["gre-l2pop", "dense"] == 6
    assert ports["gre-l2pop", "pairs"] == 2
    assert ports["kvxlan-mesh", "dense"] == 0
    per_host = [row for row in run.tables["hosts"] if row["mode"] == "gre-l2pop"]
    assert all(row["pss_kib"] >= row["private_kib"] > 0 for row in per_host)
    ladder = run.tables["ladder"]
    assert [row["ports"] for row in ladder] == [0, 1, 15, 127, 255]
    assert ladder[-1]["pss_kib"] - ladder[0]["pss_kib"] > 255, "1 KiB a port, at the very least"
    assert (run.directory / "tunnels.png").read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    assert "| 40,000 | 39,999 | 799,980,000 |" in (run.directory / "report.md").read_text()
