"""`overlaylab run mtu --quick`, for real: files appear, parse and tell; never a timing."""

import json
import subprocess
import sys
from pathlib import Path

from experiments.results import read
from experiments.tell.mtu import tell

ROOT = Path(__file__).resolve().parents[2]
START = "import sys; from experiments.cli.main import main; sys.exit(main())"
PNG = b"\x89PNG\r\n\x1a\n"


def test_a_first_look_finds_the_limits_to_the_byte(tmp_path, tmp_path_factory, monkeypatch):
    monkeypatch.setenv("OVERLAYLAB_RUN", str(tmp_path_factory.mktemp("labs")))
    options = ("--quick", "--seed", "7", "--format", "json", "--modes", "vlan,gre-mesh")
    done = subprocess.run(
        (sys.executable, "-c", START, "run", "mtu", *options, "--out", str(tmp_path)),
        cwd=ROOT, capture_output=True, text=True, timeout=110, check=False,
    )  # fmt: skip

    assert done.returncode in {0, 3}, done.stderr  # 3: the machine was too busy to be trusted
    (told,) = json.loads(done.stdout)["runs"]
    directory = Path(told["directory"])
    found = read(directory)
    assert found.about["status"] == "complete"
    largest = {row["mode"]: row["largest_bytes"] for row in found.rows}
    assert largest == {"vlan": 1500, "gre-mesh": 1458}
    assert {row["mode"]: row["largest_bytes"] for row in found.about["foretold"]} == largest
    assert all(found.tables[name] for name in ("outcomes", "tcp", "goodput", "pings"))
    for picture in tell(found).pictures:
        assert (directory / f"{picture.name}.png").read_bytes().startswith(PNG)
    assert len(list(directory.glob("raw/*/ping-*.txt"))) == len(found.tables["pings"])
    assert len(list(directory.glob("raw/*/tcp-right.json"))) == 2
    sysctls = [measured["sysctls"] for measured in found.about["measured"]]
    assert {each["net.ipv4.tcp_mtu_probing"] for each in sysctls} == {0}
