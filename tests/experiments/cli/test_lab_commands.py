"""The commands on a living lab, as a script uses them."""

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.labs import (
    CLI,
    CommandLine,
    adopt_orphans,
    descendants,
    end,
    environment,
    nothing_left,
    stats,
    wait_for,
)

pytestmark = pytest.mark.root

SERVER_B = "172.16.166.125"


@pytest.fixture(scope="module")
def line(tmp_path_factory):
    if os.geteuid() != 0:
        pytest.skip("needs root")
    adopt_orphans()
    return CommandLine(tmp_path_factory.mktemp("labs"))


@pytest.fixture(scope="module")
def lab(line):
    with nothing_left(line.home), line:
        done = line.run("up", "article", "--detach", "--name", "held")
        assert (done.returncode, done.stdout, done.stderr) == (0, "held\n", "")
        yield "held"
        assert line.run("down", "held").returncode == 0


def status(line, lab):
    return json.loads(line.run("status", lab, "--format", "json").stdout)


def test_exec_returns_the_commands_status_and_passes_its_streams(line, lab):
    assert line.run("exec", lab, "ServerA", "--", "ping", "-c1", "-W1", SERVER_B).returncode == 0
    assert line.run("exec", lab, "ServerA", "--", "sh", "-c", "exit 7").returncode == 7
    assert line.run("exec", lab, "ServerA", "tr", "a-z", "A-Z", input="overlay").stdout == "OVERLAY"
    assert (
        line.run("exec", lab, "ServerA", "--", "ls", "--help").returncode == 0
    )  # its option, not ours


def test_exec_lists_the_nodes(line, lab):
    done = line.run("exec", lab, "ServerZ", "--", "true")
    assert done.returncode == 1
    assert "no node 'ServerZ'; allowed: " in done.stderr
    assert "ServerA" in done.stderr


def test_status_shows_nodes_tunnels_flows_and_agents(line, lab):
    told = status(line, lab)
    nodes = {node["name"]: node for node in told["nodes"]}
    assert set(nodes) == {
        "ServerA",
        "ServerB",
        "computer",
        "controller",
        "management",
        "neutron",
        "underlay",
    }
    assert [(port["ofport"], port["name"]) for port in nodes["controller"]["tunnels"]] == [
        (2, "gre-c0a8960b"),
        (3, "vxlan-c0a8960b"),
    ]
    dumped = line.run(
        "exec", lab, "controller", "--", "ovs-ofctl", "-OOpenFlow13", "dump-flows", "br-int"
    ).stdout
    assert nodes["controller"]["flows"]["br-int"] == dumped.count("cookie=")
    assert {agent["host"]: agent["wired"] for agent in told["agents"]} == {
        "controller": True,
        "computer": True,
    }
    assert told["state"] == "held"
    assert "eth0" in [
        each["name"] for each in nodes["ServerA"]["interfaces"] if each["mtu"] == 1450
    ]
    everything = json.loads(line.run("status", "--format", "json").stdout)
    assert [each["name"] for each in everything["labs"]] == [lab]
    text = line.run("status").stdout
    assert "vxlan-c0a8960b" in text
    assert "172.16.166.117/24" in text


def test_capture_writes_pcapng_with_nanoseconds(line, lab, tmp_path):
    file = tmp_path / "underlay.pcapng"
    ping = subprocess.Popen(
        [*CLI, "exec", lab, "ServerA", "--", "ping", "-i0.1", "-c100", SERVER_B],
        env=environment(line.home),
        stdout=subprocess.DEVNULL,
    )
    try:
        done = line.run("capture", lab, "controller", "underlay", "-w", str(file), "--count", "6")
    finally:
        ping.kill()
        ping.wait()
    assert done.returncode == 0, done.stderr
    assert file.read_bytes()[:4] == bytes.fromhex("0a0d0d0a")  # pcapng's section header block
    fields = ("-T", "fields", "-e", "frame.time_epoch", "-e", "vxlan.vni")
    rows = subprocess.run(
        ["tshark", "-r", file, "-n", *fields], capture_output=True, text=True, check=True
    )
    packets = [row.split("\t") for row in rows.stdout.splitlines()]
    assert len(packets) == 6
    assert {vni for _, vni in packets} == {"111"}
    assert any(not stamp.endswith("000") for stamp, _ in packets), (
        "stamps are coarser than nanoseconds"
    )


def test_ctrl_c_ends_a_capture_in_order(line, lab, tmp_path):
    file = tmp_path / "guest.pcapng"
    capture = line.start("capture", lab, "ServerA", "eth0", "-w", str(file))
    wait_for(lambda: file.exists() and file.stat().st_size > 0, "capture file")
    line.run("exec", lab, "ServerB", "--", "ping", "-c3", "-i0.05", "172.16.166.117")
    status, _, err = end(capture)
    assert (status, err) == (0, "")
    # Guests speak IPv6 in their first seconds, too.
    read = ["tshark", "-r", file, "-Y", "icmp", "-T", "fields", "-e", "icmp.type"]
    told = subprocess.run(read, capture_output=True, check=True).stdout
    assert sorted(told.split()) == [b"0"] * 3 + [b"8"] * 3


def test_capture_lists_the_interfaces_of_a_node(line, lab):
    rows = line.run("capture", lab, "underlay").stdout.splitlines()
    assert [row.split()[:3] for row in rows if "host1" in row or "host2" in row] == [
        ["host2", "computer", "(underlay)"],
        ["host1", "controller", "(underlay)"],
    ]
    guest = line.run("capture", lab, "ServerA").stdout.splitlines()
    assert guest[1].split() == [
        *("eth0", "controller", "(qvo00a1bde0-be)"),
        *("1450", "172.16.166.117/24"),
    ]


@pytest.mark.parametrize(
    ("name", "found", "do"),
    [
        ("patch-tun", "'patch-tun' is a patch port of Open vSwitch", "`overlaylab trace`"),
        ("vxlan-c0a8960b", "'vxlan-c0a8960b' is a tunnel port", "leave through `underlay`."),
        ("br-int", "'br-int' is a bridge of Open vSwitch that is down", "each guest's port"),
        ("undrlay", "no interface 'undrlay'", "Did you mean `underlay`?"),
    ],
)
def test_capture_refuses_what_has_no_packets_and_says_why(line, lab, name, found, do, tmp_path):
    done = line.run("capture", lab, "controller", name, "-w", str(tmp_path / "x.pcapng"))
    assert done.returncode == 1
    assert f": {found}" in done.stderr
    assert do in done.stderr
    assert "qvo00a1bde0-be (to ServerA)" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_capture_to_a_pipe_is_read_while_it_runs_and_ends_with_its_reader(line, lab):
    capture = line.start("capture", lab, "underlay", "controller", "-w", "-")
    reader = subprocess.Popen(
        ["tcpdump", "-U", "--immediate-mode", "-l", "-n", "-r", "-", "-c", "4", "udp port 4789"],
        stdin=capture.stdout,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    capture.stdout.close()
    assert reader.poll() is None
    ping = ("ping", "-i0.2", "-c20", "-w15", SERVER_B)
    line.run("exec", lab, "ServerA", "--", *ping)
    seen, _ = reader.communicate(timeout=20)
    assert seen.count("VXLAN") == 4
    assert (capture.wait(timeout=20), capture.stderr.read()) == (128 + signal.SIGPIPE, "")


def test_capture_on_an_unknown_interface_is_an_error(line, lab, tmp_path):
    done = line.run("capture", lab, "ServerA", "eth9", "-w", str(tmp_path / "x.pcapng"))
    assert done.returncode == 1
    assert "eth9" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_capture_into_a_directory_that_is_not_there_names_it(line, lab, tmp_path):
    file = tmp_path / "none" / "x.pcapng"
    done = line.run("capture", lab, "ServerA", "eth0", "-w", str(file))
    assert done.returncode == 2
    assert done.stderr.strip().endswith(
        f"capture file '{file}': No such file or directory; allowed: a writable file in an "
        f"existing directory ({file.parent}). Make that directory first, or name another file."
    )


def test_sigterm_ends_dumpcap_in_the_callers_own_directory(line, lab, tmp_path_factory):
    """As under sudo: dumpcap gives up root's right to write into it."""
    place = tmp_path_factory.mktemp("theirs")
    file = place / "x.pcapng"
    os.chown(place, 65534, 65534)
    before = descendants()
    os.environ.update(SUDO_UID="65534", SUDO_GID="65534")
    try:
        capture = line.start("capture", lab, "ServerA", "eth0", "-w", str(file))
    finally:
        del os.environ["SUDO_UID"], os.environ["SUDO_GID"]
    wait_for(lambda: file.exists() and file.stat().st_size > 0, "capture file")
    assert list(place.iterdir()) == [file]
    line.run("exec", lab, "ServerB", "--", "ping", "-c1", "172.16.166.117")
    assert end(capture, signal.SIGTERM)[0::2] == (0, "")
    # The controller starts an ovs-vsctl now and then: what stays is what counts.
    wait_for(lambda: descendants() <= before, "end of all that the capture started", timeout_s=5)
    assert (file.stat().st_uid, file.stat().st_gid) == (65534, 65534)
    read = ["tshark", "-r", file, "-Y", "icmp", "-T", "fields", "-e", "icmp.type"]
    assert subprocess.run(read, capture_output=True, check=True).stdout.split() == [b"8", b"0"]


def test_ovs_variables_of_the_caller_are_ignored(line, lab, tmp_path):
    script = tmp_path / "script"
    script.write_text("controller ovs-vsctl list-br\n")
    os.environ.update(OVS_RUNDIR="/nowhere", OVS_DBDIR="/nowhere")
    try:
        done = line.run("exec", lab, "controller", "--", "ovs-vsctl", "list-br")
        shell = line.run("shell", lab, str(script))
    finally:
        del os.environ["OVS_RUNDIR"], os.environ["OVS_DBDIR"]
    assert (done.stdout.split(), done.stderr) == (["br-int", "br-tun", "br-vtep"], "")
    assert "br-vtep" in shell.stdout + shell.stderr


def test_status_shows_a_lab_with_damaged_state_and_one_without_a_ledger(line, lab):
    file = line.home / lab / "state.json"
    whole = file.read_bytes()
    (line.home / "spoilt").mkdir(mode=0o700)
    (line.home / "spoilt" / "ledger").touch()
    try:
        file.write_bytes(b"{")
        told = status(line, lab)
        assert (told["state"], told["overlay"], told["healthy"]) == ("held", None, False)
        done = line.run("status")
        assert done.returncode == 1, done.stderr
        assert "unreadable" in done.stdout
        assert f"wrong: lab '{lab}': {file} is missing or damaged. " in done.stdout
        assert (
            "wrong: lab 'spoilt': no status: its record is damaged. `overlaylab down" in done.stdout
        )
        assert line.run("down", "spoilt").returncode == 0
    finally:
        file.write_bytes(whole)
    assert not (line.home / "spoilt").exists()


def test_the_shell_is_that_of_mininet(line, lab, tmp_path):
    script = tmp_path / "script"
    script.write_text("nodes\npingall\nServerA ip -o link show eth0\n")
    done = line.run("shell", lab, str(script))
    assert done.returncode == 0, done.stderr
    said = done.stdout + done.stderr  # Mininet talks through its log
    assert "0% dropped (2/2 received)" in said
    assert "mtu 1450" in said
    assert line.run("exec", lab, "ServerA", "--", "true").returncode == 0, (
        "the lab outlives its shell"
    )


def test_a_dead_controller_is_started_again(line, lab):
    before = status(line, lab)["controller_pid"]
    os.kill(before, signal.SIGKILL)
    wait_for(lambda: status(line, lab)["controller_pid"] not in {before, None}, "new controller")
    assert "the controller had died" in (line.home / lab / "holder.log").read_text()
    wait_for(lambda: before not in {pid for pid, *_ in stats()}, "reaped controller")
    assert line.run("exec", lab, "ServerA", "--", "ping", "-c1", "-W1", SERVER_B).returncode == 0
    wait_for(
        lambda: all(agent["wired"] for agent in status(line, lab)["agents"] or [{"wired": False}]),
        "wired agents",
    )


def test_a_detached_lab_that_cannot_start_reports_why(line, lab):
    done = line.run("up", "article", "--detach", "--name", lab)
    assert done.returncode == 1
    assert f"lab '{lab}' exists" in done.stderr
    assert line.run("up", "article", "--detach", "--datapath", "system").returncode == (
        0 if Path("/sys/module/openvswitch").exists() else 4
    )


def test_down_needs_one_lab_or_all(line):
    assert line.run("down").returncode == 2
    assert line.run("down", "x", "--all").returncode == 2


def test_status_needs_root(line, lab):
    def nobody():
        os.setgroups([])
        os.setuid(65534)

    done = line.run("status", preexec_fn=nobody)
    assert done.returncode == 4
    assert "root" in done.stderr
