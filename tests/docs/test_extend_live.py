"""docs/extend.md, for real: its experiments run, its topologies start, by the commands a user would type."""

import json
import subprocess

import pytest

from experiments.core.results import read
from experiments.show.pages.redraw import redraw
from tests.docs.extend_examples import written
from tests.experiments.running import without_progress
from tests.labs import ROOT, CommandLine, adopt_orphans, environment, nothing_left

pytestmark = pytest.mark.root


@pytest.fixture
def command(tmp_path, need_root):
    with CommandLine(tmp_path / "labs") as command:
        yield command


def ran(command, tmp_path, name):
    path = written(tmp_path, name)
    out = tmp_path / "out"
    done = command.run("run", str(path), "--quick", "--format", "json", "--out", str(out))
    assert done.returncode in {0, 3}, done.stderr  # 3: the machine was too busy to be trusted
    assert without_progress(done.stderr) == ""
    (report,) = json.loads(done.stdout)["runs"]
    return report, read(next(out.iterdir()))


def test_every_rule_is_as_predicted(command, tmp_path):
    report, run = ran(command, tmp_path, "rules.py")

    assert [(each["mode"], each["hosts"], each["measured"]) for each in report["summaries"]] == [
        ("vxlan-mesh", 2, [13]),
        ("vxlan-mesh", 4, [15]),
        ("vxlan-l2pop", 2, [14]),
        ("vxlan-l2pop", 4, [14]),
    ]
    assert (run.directory / "rules.png").stat().st_size > 10_000
    # The file is gone, and its run is drawn all the same.
    (tmp_path / "rules.py").unlink()
    (run.directory / "rules.png").unlink()
    redraw(run.directory)
    assert (run.directory / "rules.png").exists()


def test_every_first_ping_is_answered(command, tmp_path):
    _, run = ran(command, tmp_path, "first_ping.py")

    assert run.samples.height == 40
    assert run.samples["first_ms"].null_count() == 0
    assert run.samples["first_ms"].min() > 0
    assert len(list(run.directory.glob("raw/*"))) in {0, 2}


def test_tenants_with_the_same_addresses_are_isolated(command, tmp_path):
    path = written(tmp_path, "tenants.yaml")
    assert command.run("up", str(path), "--name", "tenants", "--detach").returncode == 0

    def pings(guest, address):
        done = command.run("exec", "tenants", guest, "--", "ping", "-n", "-c1", "-W1", address)
        return done.returncode == 0

    assert pings("red2", "10.0.0.11")
    assert pings("blue2", "10.0.0.13")
    assert not pings("blue3", "10.0.0.12")  # red2's
    # red1 answered red2, not blue2, which has the same address and is nearer.
    command.run("exec", "tenants", "red1", "--", "ip", "link", "set", "eth0", "down")
    assert not pings("red2", "10.0.0.11")
    assert command.run("down", "tenants").returncode == 0


def test_the_class_is_a_mininet_topology(tmp_path, need_root):
    adopt_orphans()
    star = written(tmp_path, "star.py")
    argv = [
        "mn",
        "--custom",
        f"topologies/overlay.py,{star}",
        "--topo",
        "star,hosts=4",
        "--test",
        "pingall",
    ]
    with nothing_left(tmp_path / "labs"):
        done = subprocess.run(
            argv,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            cwd=ROOT,
            env=environment(tmp_path / "labs"),
        )
    assert done.returncode == 0, done.stderr
    assert "Results: 0% dropped (12/12 received)" in done.stdout + done.stderr
