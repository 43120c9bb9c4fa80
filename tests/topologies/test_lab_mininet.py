"""Mininet stays Mininet: `mn --custom topologies/overlay.py --topo article` as its manual says."""

import subprocess
import sys

import pytest

from tests.labs import ROOT, adopt_orphans, environment, nothing_left

pytestmark = pytest.mark.root


@pytest.mark.parametrize("topology", ["article", "overlay,scenario=article,mode=gre-mesh"])
def test_mn_starts_the_topology_and_pings(tmp_path, need_root, topology):
    adopt_orphans()
    argv = ["mn", "--custom", "topologies/overlay.py", "--topo", topology, "--test", "pingall"]
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
    assert "Results: 0% dropped (2/2 received)" in done.stdout + done.stderr


def test_a_failing_mn_takes_down_only_its_own_lab(tmp_path, need_root):
    """Mininet's own cleanup would kill every process called `mininet:...` and every ping."""
    adopt_orphans()
    other = subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(100)", "mininet:other"]
    )
    wrong = "overlay,scenario=article,app=no-such-app"
    argv = ["mn", "--custom", "topologies/overlay.py", "--topo", wrong, "--test", "pingall"]
    try:
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
        assert "no-such-app" in done.stdout + done.stderr
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def test_the_machines_limits_do_not_change(tmp_path, need_root):
    """Mininet's start would raise them for good."""
    before = subprocess.run(["sysctl", "-a"], capture_output=True, text=True, check=True).stdout
    limits = [
        row
        for row in before.splitlines()
        if "mem_max" in row or "gc_thresh" in row or "file-max" in row
    ]
    argv = ["mn", "--custom", "topologies/overlay.py", "--topo", "article", "--test", "none"]
    subprocess.run(
        argv,
        capture_output=True,
        timeout=60,
        check=True,
        cwd=ROOT,
        env=environment(tmp_path / "labs"),
    )
    after = subprocess.run(["sysctl", "-a"], capture_output=True, text=True, check=True).stdout
    assert limits
    assert [row for row in limits if row not in after.splitlines()] == []
    assert list((tmp_path / "labs").iterdir()) == []
