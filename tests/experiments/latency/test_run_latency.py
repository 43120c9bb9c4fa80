"""`overlaylab run --quick`, for real: files appear and parse; never a timing."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from experiments.core.question import of_point
from experiments.core.results import read
from experiments.latency.probe import EXPERIMENT as LATENCY
from experiments.measure.ping import Requests

pytestmark = pytest.mark.smoke

ROOT = Path(__file__).resolve().parents[3]
START = "import sys; from experiments.cli.main import main; sys.exit(main())"
PNG = b"\x89PNG\r\n\x1a\n"
RAISED_S = 60


@pytest.fixture
def home(tmp_path_factory, monkeypatch):
    """A place for the labs of this test alone."""
    path = tmp_path_factory.mktemp("labs")
    monkeypatch.setenv("OVERLAYLAB_RUN", str(path))
    return path


@pytest.fixture
def run(tmp_path, home):
    """The command line in a process of its own, with its results apart."""

    def run(*argv):
        full = (sys.executable, "-c", START, "run", *argv, "--out", str(tmp_path))
        return subprocess.Popen(
            full, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    return run


def test_a_first_look_leaves_files_that_parse_and_belong_to_the_caller(run, tmp_path, monkeypatch):
    monkeypatch.setenv("SUDO_UID", "12345")
    monkeypatch.setenv("SUDO_GID", "12346")
    modes = "--modes", "flat,vxlan-mesh"
    with run("latency", "--quick", "--seed", "7", "--format", "json", *modes) as process:
        out, err = process.communicate(timeout=110)

    assert process.returncode in {0, 3}, err  # 3: the machine was too busy to be trusted
    assert err == ""
    (report,) = json.loads(out)["runs"]
    directory = Path(report["directory"])
    found = read(directory)
    assert found.about["status"] == "complete"
    assert (process.returncode == 0) == found.about["verdict"]["trusted"]
    assert_samples(found)
    assert_raw(found)
    assert_pictures(directory)
    # What the guests were given is what the mode leaves of the underlay's 1500 bytes.
    mtus = {
        mode: [each["guest_mtu"] for each in facts["networks"].values()]
        for mode, facts in found.about["labs"].items()
    }
    assert mtus == {"flat": [1500], "vxlan-mesh": [1450]}
    made = list(tmp_path.rglob("*"))
    assert len(made) > 40
    assert {(os.lstat(path).st_uid, os.lstat(path).st_gid) for path in made} == {(12345, 12346)}


def assert_samples(found):
    warm = [row for row in found.rows if row["phase"] == "warm"]
    assert all(row["rtt_ms"] for row in warm), "a warm ping was lost"
    main = of_point(found.rows, found.question.compared)
    assert Counter(row["mode"] for row in main) == {
        "flat": LATENCY.quick.pings,
        "vxlan-mesh": LATENCY.quick.pings,
    }
    assert {(row["mode"], row["path"]) for row in warm} == {
        ("flat", "guest"),
        ("flat", "veth"),
        ("flat", "same-host"),
        ("flat", "vtep"),
        ("vxlan-mesh", "guest"),
    }
    cold = {(row["mode"], row["cold"]) for row in found.rows if row["phase"] == "cold"}
    everywhere = {"everything-as-raised", "guest-arp", "megaflow", "nothing"}
    assert {level for mode, level in cold if mode == "flat"} == everywhere
    assert {level for mode, level in cold if mode == "vxlan-mesh"} == {
        *everywhere,
        "learned-flow",
        "vtep-neighbour",
    }
    kept = [each["kept_interval_ms"] for each in found.about["measured"]]
    assert all(each["guest, 10 ms, 56 bytes"] >= 10 for each in kept)
    assert {row["mode"] for row in found.tables["stages"]} <= set(LATENCY.quick.stages_in)
    assert found.tables["stages"]


def assert_raw(found):
    """Raw output says what the samples say."""
    for path in found.directory.glob("raw/*/ping-guest-warm-10ms-56.txt"):
        mode = re.fullmatch(r"\d+-\d+-(.+)", path.parent.name).group(1)
        read = Requests(count=LATENCY.quick.pings).read(path.read_text())
        report = [reply.rtt_ms for reply in read.replies]
        main = of_point(found.rows, {**found.question.compared, "mode": mode})
        assert report == [row["rtt_ms"] for row in main]


def assert_pictures(directory):
    assert (directory / "latency.png").read_bytes().startswith(PNG)
    assert b"<svg" in (directory / "latency.svg").read_bytes()
    assert f"| vxlan-mesh | {LATENCY.quick.pings} | 0 |" in (directory / "report.md").read_text()


def test_an_interrupted_run_takes_its_lab_down_and_marks_its_result(run, home, tmp_path):
    with run("latency", "--modes", "flat") as process:
        wait_for(lambda: list(tmp_path.glob("*/raw/*/stages-*.pcapng")), process)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)

    assert process.returncode == 130
    (directory,) = tmp_path.iterdir()
    found = read(directory)
    assert found.about["status"] == "interrupted"
    assert found.about["verdict"]["trusted"] is False
    assert list(home.iterdir()) == []


def wait_for(condition, process):
    end = time.monotonic() + RAISED_S
    while not condition():
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < end, "no lab came up"
        time.sleep(0.05)
