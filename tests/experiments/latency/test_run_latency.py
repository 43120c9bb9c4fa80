"""`overlaylab run latency --quick` with real labs: its files, but no times."""

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

from experiments.core.results import read
from experiments.latency.probe import EXPERIMENT as LATENCY
from experiments.measure.ping import Requests
from tests.experiments.running import without_progress

pytestmark = pytest.mark.smoke

ROOT = Path(__file__).resolve().parents[3]
START = "import sys; from experiments.cli.main import main; sys.exit(main())"
PNG = b"\x89PNG\r\n\x1a\n"
STARTED_S = 60


@pytest.fixture
def home(tmp_path_factory, monkeypatch):
    """A folder for the labs of this test."""
    path = tmp_path_factory.mktemp("labs")
    monkeypatch.setenv("OVERLAYLAB_RUN", str(path))
    return path


@pytest.fixture
def run(tmp_path, home):
    """The command line in a process of its own, with a folder for its results."""

    def run(*argv):
        full = (sys.executable, "-c", START, "run", *argv, "--out", str(tmp_path))
        return subprocess.Popen(
            full, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    return run


def test_the_files_of_a_quick_run_can_be_read_and_belong_to_the_caller(run, tmp_path, monkeypatch):
    monkeypatch.setenv("SUDO_UID", "12345")
    monkeypatch.setenv("SUDO_GID", "12346")
    modes = "--modes", "flat,vxlan-mesh"
    with run("latency", "--quick", "--seed", "7", "--format", "json", *modes) as process:
        out, err = process.communicate(timeout=110)

    assert process.returncode in {0, 3}, (
        err
    )  # 3: the run is unreliable, since the machine was too busy
    assert without_progress(err) == ""
    (report,) = json.loads(out)["runs"]
    directory = Path(report["directory"])
    found = read(directory)
    assert found.about["status"] == "complete"
    assert (process.returncode == 0) == found.about["verdict"]["trusted"]
    assert_samples(found)
    assert_raw(found)
    assert_pictures(directory)
    # The underlay's 1500 bytes less the overhead of the mode.
    mtus = {
        mode: [each["guest_mtu"] for each in facts["networks"].values()]
        for mode, facts in found.about["labs"].items()
    }
    assert mtus == {"flat": [1500], "vxlan-mesh": [1450]}
    made = list(tmp_path.rglob("*"))
    assert len(made) > 40
    assert {(os.lstat(path).st_uid, os.lstat(path).st_gid) for path in made} == {(12345, 12346)}


def assert_samples(found):
    warm = found.samples.filter(phase="warm")
    assert not warm["rtt_ms"].has_nulls(), "a warm ping was lost"
    main = found.samples.filter(**found.question.compared)
    assert Counter(main["mode"]) == {
        "flat": LATENCY.quick.pings,
        "vxlan-mesh": LATENCY.quick.pings,
    }
    assert set(warm.select("mode", "path").rows()) == {
        ("flat", "guest"),
        ("flat", "veth"),
        ("flat", "same-host"),
        ("flat", "vtep"),
        ("vxlan-mesh", "guest"),
    }
    first = found.samples.filter(phase="first")
    everywhere = {"new-lab", "guest-arp", "megaflow", "none"}
    assert set(first.filter(mode="flat")["cache"]) == everywhere
    assert set(first.filter(mode="vxlan-mesh")["cache"]) == {
        *everywhere,
        "learned-flow",
        "vtep-neighbour",
    }
    assert set(found.tables["stages"]["mode"]) <= set(LATENCY.quick.stages_in)
    assert len(found.tables["stages"])


def assert_raw(found):
    """The samples and their interval are those of the raw output."""
    files = sorted(found.directory.glob("raw/*/ping-guest-warm-10ms-56.txt"))
    assert len(files) == 2
    for path in files:
        mode = re.fullmatch(r"\d+-\d+-(.+)", path.parent.name).group(1)
        read = Requests(count=LATENCY.quick.pings).read(path.read_text())
        main = found.samples.filter(mode=mode, **found.question.compared)
        assert [reply.rtt_ms for reply in read.replies] == main["rtt_ms"].to_list()
        (lab,) = (each for each in found.about["measured"] if each["mode"] == mode)
        assert lab["kept_interval_ms"]["guest, 10 ms, 56 bytes"] == read.kept_interval_ms
        assert_interval(path.read_text().splitlines()[0], read.replies)


def assert_interval(command, replies):
    """Ping was asked for 10 ms, and sent no faster.

    Two replies may be read at almost the same time on a busy machine, so no single interval of
    replies has a lower limit, nor has their median.  Ping sends a request 10 ms after the one
    before, or later, in whole milliseconds (at least 9), and does not catch up (iputils
    `pinger`).  It may read the first reply just before its second request, so one interval less
    is certain.
    """
    assert " -i 0.01 " in command
    first, last = replies[0], replies[-1]
    passed_ms = 1000 * (last.received_s - first.received_s) + first.rtt_ms
    assert passed_ms >= 9 * (len(replies) - 2)


def assert_pictures(directory):
    assert (directory / "latency.png").read_bytes().startswith(PNG)
    assert b"<svg" in (directory / "latency.svg").read_bytes()
    assert f"| vxlan-mesh | {LATENCY.quick.pings} | 0 |" in (directory / "report.md").read_text()


def test_an_interrupted_run_stops_its_lab_and_is_marked_as_interrupted(run, home, tmp_path):
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
    end = time.monotonic() + STARTED_S
    while not condition():
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < end, "no lab was started"
        time.sleep(0.05)
