"""Each exercise on a running lab: what is wrong is said, and once it is repaired all is right."""

import json
import os
import shlex
import subprocess
from contextlib import contextmanager

import pytest

from tests.labs import CLI, ROOT, CommandLine, adopt_orphans, environment, nothing_left

pytestmark = pytest.mark.root

FAULTS = (
    "the VTEP of host4",
    "packets of 1500 bytes do not pass between the VTEP of host3",
    "a and b",
    "e neither",
    "f is not set up",
)
REPAIRS = (
    ("host4", "ovs-vsctl", "clear", "port", "underlay", "tag"),
    ("underlay", "ip", "link", "set", "host3", "mtu", "1500"),
    ("a", "ip", "neigh", "del", "10.1.0.22", "dev", "eth0"),
    ("e", "ip", "link", "set", "eth0", "up"),
    ("f", "ip", "address", "replace", "10.2.0.22/24", "dev", "eth0"),
)


@pytest.fixture(scope="module")
def line(tmp_path_factory):
    if os.geteuid() != 0:
        pytest.skip("needs root")
    adopt_orphans()
    return CommandLine(tmp_path_factory.mktemp("labs"))


@contextmanager
def lab(line, exercise):
    with nothing_left(line.home), line:
        file = f"docs/course/{exercise}.yaml"
        done = line.run("up", file, "--name", exercise, "--detach")
        assert done.returncode == 0, done.stderr
        yield
        assert line.run("down", exercise).returncode == 0


def script(line, tmp_path, exercise):
    """Run the script of the course, with an `overlaylab` that is this checkout's."""
    command = tmp_path / "overlaylab"
    command.write_text(f'#!/bin/sh\nexec {shlex.join(map(str, CLI))} "$@"\n')
    command.chmod(0o755)
    env = environment(line.home)
    env["PATH"] = f"{tmp_path}:{env.get('PATH', os.defpath)}"
    subprocess.run(["sh", f"docs/course/{exercise}.sh"], cwd=ROOT, env=env, check=True)


def check(line, exercise, *answers):
    """The exit status, what is right, and what is wrong."""
    options = [word for each in answers for word in ("--answer", each)]
    done = line.run("check", exercise, "--format", "json", *options)
    findings = json.loads(done.stdout)["findings"]
    return done.returncode, *(
        [each["text"] for each in findings if each["right"] is is_right]
        for is_right in (True, False)
    )


def test_broadcast_takes_the_numbers_of_the_lab_as_it_is_now(line):
    with lab(line, "broadcast"):
        other = line.run("check", "mtu")
        assert other.returncode == 2
        assert "Start it: `overlaylab up docs/course/mtu.yaml --name mtu" in other.stderr
        status, _, wrong = check(line, "broadcast", "copies=2", "unneeded=0")
        assert (status, len(wrong)) == (1, 2)
        assert check(line, "broadcast", "copies=4", "unneeded=2")[0] == 0
        line.run("exec", "broadcast", "c", "--", "ip", "link", "set", "eth0", "down")
        status, _, wrong = check(line, "broadcast", "copies=4", "unneeded=2")
        assert (status, wrong) == (1, ["a gets no answer from c."])


def test_mtu_wants_the_largest_packets_that_the_providers_link_carries(line, tmp_path):
    def set_mtu(mtu):
        for guest in ("a", "b"):
            line.run("exec", "mtu", guest, "--", "ip", "link", "set", "eth0", "mtu", mtu)

    with lab(line, "mtu"):
        set_mtu("1300")  # everything passes, also through the link that is not yet narrow
        *links, one, other = check(line, "mtu", "largest=1350")[2]
        assert [each.startswith("the provider's link") for each in links] == [True, True]
        assert one.startswith("a sends packets of up to 1300 bytes only")
        assert other.startswith("b sends packets of up to 1300 bytes only")
        script(line, tmp_path, "mtu")
        set_mtu("1351")
        status, right, wrong = check(line, "mtu", "largest=1350")
        assert (status, right) == (1, ["largest = 1350"])
        assert all("up to 1351 bytes, and those get no answer" in each for each in wrong)
        set_mtu("1350")
        assert check(line, "mtu", "largest=1350")[0] == 0


def test_each_of_the_five_faults_is_said_until_it_is_repaired(line, tmp_path):
    with lab(line, "faults"):
        script(line, tmp_path, "faults")
        status, _, wrong = check(line, "faults")
        assert status == 1
        assert len(wrong) == len(FAULTS)
        assert all(each.startswith(text) for each, text in zip(wrong, FAULTS, strict=True))
        for node, *command in REPAIRS:
            assert line.run("exec", "faults", node, "--", *command).returncode == 0
        status, right, wrong = check(line, "faults")
        assert (status, wrong) == (0, [])
        assert right[-1] == "24 of 24 pings with the largest packets are answered"
        assert line.run("server", "remove", "faults", "e").returncode == 0
        refused = line.run("check", "faults")  # a fault must not go away with its server
        assert (refused.returncode, refused.stdout) == (2, "")
        assert "it has no server e with an address; allowed:" in refused.stderr
