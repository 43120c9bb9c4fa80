"""However a lab ends, the machine is as before, and objects of others are untouched."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from controller.system.commands import MARK, run
from controller.system.process import marked
from tests.labs import (
    ROOT,
    CommandLine,
    adopt_orphans,
    descendants,
    end,
    environment,
    nothing_left,
    wait_for,
    world,
)

pytestmark = pytest.mark.root


@pytest.fixture
def line(tmp_path_factory, need_root):
    adopt_orphans()
    with CommandLine(tmp_path_factory.mktemp("labs")) as made:
        yield made


@pytest.mark.parametrize(
    "number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name
)
def test_a_held_lab_ends_with_a_signal(line, number):
    with nothing_left(line.home) as before:
        holder = line.start("up", "article")
        name = holder.stdout.readline().strip()
        assert name in world(line.home).added_since(before)["labs"]
        status, _, err = end(holder, number)
    assert status == 130
    assert "Traceback" not in err


@pytest.mark.parametrize("processes", [1, 3, 5, 7, 9, 11])
def test_ctrl_c_during_the_start_leaves_nothing(line, processes):
    """Once so many processes are there: nodes, then daemons, then the wait for the controller.

    As a terminal does it: to the whole process group.
    """
    with nothing_left(line.home):
        others = descendants()  # other levels' switches live as long as the session
        holder = line.start("up", "article", start_new_session=True)
        wait_for(lambda: len(descendants() - others) > processes, f"{processes} processes")
        os.killpg(holder.pid, signal.SIGINT)
        status, _, err = end(holder, 0)
    assert status == 130, err
    assert "Traceback" not in err


def test_a_second_ctrl_c_does_not_break_the_cleanup(line):
    with nothing_left(line.home):
        holder = line.start("up", "article")
        holder.stdout.readline()
        for _ in range(5):
            holder.send_signal(signal.SIGINT)
            time.sleep(0.005)  # as fast as a keyboard repeats
        status, _, err = end(holder, 0)
    assert status in {130, -signal.SIGINT}  # the latter: one came when all was done
    assert "Traceback" not in err


LONELY = """if True:
    import os, signal, sys
    from topologies.lab import started
    from topologies.scenario.load import load

    def say(text):
        if sys.argv[1:] and text.startswith("taking down"):
            os.kill(os.getpid(), signal.SIGINT)

    def defunct():
        # Ours, and those left to who started us: anybody else's are there for a moment at any time.
        pids = (pid for pid in os.listdir("/proc") if pid.isdigit())
        for pid in pids:
            try:
                stat = open(f"/proc/{pid}/stat").read().rpartition(")")
            except OSError:
                continue
            state, parent = stat[2].split()[:2]
            if state == "Z" and int(parent) in {os.getpid(), os.getppid()}:
                yield pid, stat[0]

    before = set(defunct())
    with started(load("article").overlay, say=say) as lab:
        lab.restart_controller()
        lab.net["ServerA"].cmd("sleep 100 &")
    print(set(defunct()) - before, flush=True)
"""


def lonely(home, *argv):
    """A lab started and taken down in a process that only its lab makes a parent."""
    return subprocess.run(
        [sys.executable, "-c", LONELY, *argv],
        env=environment(home),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_no_zombie_is_left(line):
    done = lonely(line.home)
    assert (done.returncode, done.stdout) == (0, "set()\n"), done.stderr


def test_ctrl_c_during_the_clean_up_ends_the_process_after_it(line):
    with nothing_left(line.home):
        done = lonely(line.home, "interrupt")
    assert done.returncode == -signal.SIGINT
    assert done.stdout == "", "the run went on"
    assert "KeyboardInterrupt" in done.stderr


def test_down_all_removes_the_lab_of_a_killed_holder_and_can_be_repeated(line):
    with nothing_left(line.home):
        others = descendants()
        name = line.run("up", "article", "--detach").stdout.strip()
        shown = json.loads(line.run("status", name, "--format", "json").stdout)
        os.kill(shown["holder_pid"], signal.SIGKILL)
        wait_for(
            lambda: (
                json.loads(line.run("status", name, "--format", "json").stdout)["state"]
                == "abandoned"
            ),
            "abandoned lab",
        )
        assert len(descendants() - others) > 8, (
            "the lab must outlive its holder, or this shows nothing"
        )
        for _ in range(2):
            done = line.run("down", "--all")
            assert (done.returncode, done.stderr) == (0, "")


def test_down_removes_a_lab_whose_holder_was_killed_during_the_start(line):
    with nothing_left(line.home):
        others = descendants()
        holder = line.start("up", "article", "--name", "half")
        wait_for(lambda: len(descendants() - others) > 8, "half a lab")
        end(holder, signal.SIGKILL)
        assert descendants() - others
        assert line.run("down", "half").returncode == 0


def test_down_ends_a_living_holder(line):
    with nothing_left(line.home):
        line.run("up", "article", "--detach", "--name", "live")
        assert line.run("down", "live").returncode == 0
    again = line.run("down", "live")
    assert again.returncode == 1
    assert "no lab 'live'" in again.stderr


@pytest.fixture
def foreign(tmp_path, need_root):
    """A bridge, a namespace, an OVS and a process that bear names and marks much like ours."""
    with ExitStack() as undo:
        run("ip", "link", "add", "br-vtep", "type", "bridge")
        undo.callback(run, "ip", "link", "del", "br-vtep")
        run("ip", "netns", "add", "ol123456-neutron")
        undo.callback(run, "ip", "netns", "del", "ol123456-neutron")
        database = tmp_path / "conf.db"
        run("ovsdb-tool", "create", str(database), "/usr/share/openvswitch/vswitch.ovsschema")
        others = {**os.environ, MARK: "0" * 32}
        started = [
            subprocess.Popen(
                ["ovsdb-server", f"--unixctl={tmp_path}/ctl", str(database)],
                env=others,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            ),
            subprocess.Popen(["sleep", "1000"], env=others),
        ]
        for process in started:
            undo.callback(process.wait)
            undo.callback(process.kill)
        yield (
            lambda: (
                [process.poll() for process in started] == [None, None]
                and Path("/sys/class/net/br-vtep").exists()
                and Path("/run/netns/ol123456-neutron").exists()
            )
        )


def test_objects_of_others_are_not_touched(line, foreign):
    with nothing_left(line.home):
        name = line.run("up", "article", "--detach").stdout.strip()
        shown = json.loads(line.run("status", name, "--format", "json").stdout)
        os.kill(shown["holder_pid"], signal.SIGKILL)
        assert foreign()
        assert line.run("down", "--all").returncode == 0
    assert foreign()


def test_a_reused_pid_is_not_killed(line, foreign):
    """A pid is used again: what counts is the pid with its start time."""
    name = line.run("up", "article", "--detach").stdout.strip()
    stranger = subprocess.Popen(["sleep", "1000"])
    try:
        with (line.home / name / "ledger").open("a") as ledger:
            ledger.write(
                json.dumps({"what": "process", "role": "x", "pid": stranger.pid, "start": 1}) + "\n"
            )
        assert line.run("down", name).returncode == 0
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_every_process_of_a_lab_has_its_token(line):
    """So the ledger's scan finds also what has not been written down yet."""
    with nothing_left(line.home):
        others = descendants()
        name = line.run("up", "article", "--detach").stdout.strip()
        ledger = [
            json.loads(text) for text in (line.home / name / "ledger").read_text().splitlines()
        ]
        holder = next(entry["pid"] for entry in ledger if entry["what"] == "owner")
        owner = json.loads(line.run("status", name, "--format", "json").stdout)["holder_pid"]
        assert holder == owner

        def is_whole():
            bearing = {identity.pid for identity in marked(ledger[0]["token"])}
            return bearing and descendants() - others - {holder} == bearing

        # The controller starts an ovs-vsctl now and then: it may come or go between the two looks.
        wait_for(is_whole, "token on every process")
        assert line.run("down", name).returncode == 0
