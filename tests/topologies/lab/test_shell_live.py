"""Every command of Mininet's CLI on a lab: it works or says why not, and touches nothing else."""

import json
import os
import shutil
import signal
import subprocess
import time
from contextlib import ExitStack

import pytest
from mininet.cli import CLI

from tests.labs import ROOT, CommandLine, adopt_orphans, environment, nothing_left, wait_for

pytestmark = pytest.mark.root

LONG = "guest-of-a-rather-long-name-00000000000"
ONE, TWO = f"{LONG}1", f"{LONG}2"
HOST = "compute-node-in-rack-01.example-cloud.r"
SCENARIO = f"""
agent: {{tunnel_types: [vxlan], bridge_mappings: {{datacentre-west-1: br-datacentre1}}}}
hosts:
  - {{name: {HOST}1, local_ip: 192.0.2.1}}
  - {{name: {HOST}2, local_ip: 192.0.2.2}}
  - {{name: SW_SUPERVISOR_1, local_ip: 192.0.2.3}}
networks:
  - {{name: "network, with spaces & ünïcode", network_type: vxlan, segmentation_id: 16777215,
      subnets: [{{cidr: 10.0.0.0/24}}]}}
  - {{name: prov, network_type: vlan, physical_network: datacentre-west-1, segmentation_id: 4094,
      subnets: [{{cidr: 10.0.0.0/24}}]}}
ports:
  - {{server: {ONE}, host: {HOST}1, network: "network, with spaces & ünïcode"}}
  - {{server: {TWO}, host: {HOST}2, network: "network, with spaces & ünïcode"}}
  - {{server: h1-1, host: {HOST}1, network: prov}}
  - {{server: H1-1, host: SW_SUPERVISOR_1, network: prov}}
"""
USAGE = "usage: "
DOWN = "100% dropped (0/2 received)"
# Each command of Mininet's CLI: lines, and texts that they print in this order.
COMMANDS: dict[str, tuple[list[str], list[str]]] = {
    "help": (["help", "help iperf"], ["Documented commands", "two guests"]),
    "nodes": (["nodes"], [f"{TWO} h1-1 management"]),
    "ports": (["ports"], [f"{HOST}1 br-int ", "patch-tun:", "underlay host"]),
    "net": (["net"], ["H1-1 eth0:qvo", f"{HOST}1 management:host1 underlay:host1"]),
    "links": (["links"], [f"h1-1:eth0<->{HOST}1:qvo", "(OK OK)"]),
    "intfs": (["intfs"], ["H1-1: eth0", f"{HOST}2: management,underlay"]),
    "dump": (["dump"], [f"<Guest {ONE}: eth0:10.0.0.", f"<ComputeHost {HOST}1: management"]),
    "sh": (["sh", "sh echo out-$((20 + 3))"], [USAGE, "out-23"]),
    "py": (
        ["py", "py 1/0", "py 20 + 4", "py no such"],
        [USAGE, "division by zero", "24", "invalid"],
    ),
    "px": (["px", "px print(20 + 5)", "px raise ValueError('bad')"], [USAGE, "25", "bad"]),
    "time": (["time", "time nodes", "time nosuch"], [USAGE, "Elapsed time: 0.", "Unknown command"]),
    "noecho": (["noecho", "noecho h1-1 echo quiet"], [USAGE, "quiet"]),
    "source": (
        ["source", "source /nosuch", "source /", "source /dev/zero", "source LOOP"],
        [USAGE, "/nosuch: No such file", "not a regular file", "not a regular file", "more than"],
    ),
    "pingall": (
        ["pingall x", "pingall 1"],
        [
            USAGE,
            "0% dropped (4/4 received)",
            f"Not pinged, since they have no subnet in common: H1-1 - {ONE}",
        ],
    ),
    "pingallfull": (["pingallfull"], ["h1-1->H1-1: 1/1, rtt"]),
    "pingpair": (["pingpair"], ["0% dropped (2/2 received)"]),
    "pingpairfull": (["pingpairfull"], ["->H1-1: 1/1, rtt"]),
    "iperf": (
        ["iperf h1-1", f"iperf h1-1 {ONE}", "iperf h1-1 nosuch", f"iperf {ONE} {TWO}"],
        [
            "invalid number",
            "not two guests with a subnet",
            "'nosuch' not in network",
            "Results: ['",
        ],
    ),
    "iperfudp": (
        ["iperfudp x", "iperfudp 5M h1-1 H1-1", "iperfudp nonsense h1-1 H1-1"],
        ["invalid number", "Results: ['5M', '", "not a bandwidth"],
    ),
    "link": (
        [
            "link",
            f"link h1-1 {HOST}1 down",
            "py net.pingAll(1) and 'lost'",
            f"link h1-1 {HOST}1 up",
            f"link {HOST}1 underlay down",
            f"{ONE} ping -c1 -W1 {TWO}",
            f"link {HOST}1 underlay up",
            f"{ONE} ping -c1 -W2 {TWO}",
            "link h1-1 H1-1 down",
            "link h1-1 nosuch up",
        ],
        [
            "invalid number",
            "50% dropped (2/4 received)",
            "lost",
            " 0 received",
            " 1 received",
            f"have no link; h1-1 has links to: {HOST}1",
            "no node 'nosuch'",
        ],
    ),
    "switch": (
        [
            "switch",
            "switch nosuch stop",
            f"switch {HOST}1 stop",
            "switch underlay stop",
            f"{ONE} ping -c1 -W1 {TWO}",
            "switch underlay start",
            f"{ONE} ping -c1 -W2 {TWO}",
        ],
        [
            USAGE,
            "nosuch is not in the lab",
            "is no switch; switches: ",
            " 0 received",
            " 1 received",
        ],
    ),
    "dpctl": (
        ["dpctl", "dpctl dump-flows table=0", "dpctl -OOpenFlow14 dump-aggregate", "dpctl nosuch"],
        [USAGE, f"*** {HOST}1 br-int ----", "priority=", "flow_count=", "unknown command 'nosuch'"],
    ),
    "wait": (["wait"], ["The lab is ready"]),
    "xterm": (
        ["xterm", "xterm nosuch", "xterm h1-1"],
        [USAGE, "'nosuch' is not", "DISPLAY is not set"],
    ),
    "gterm": (["gterm", "gterm h1-1"], [USAGE, "DISPLAY is not set"]),
    "x": (
        ["x", "x nosuch xeyes", "x h1-1 xeyes"],
        [USAGE, "'nosuch' is not", "DISPLAY is not set"],
    ),
}
ENDS = {"exit": "exit", "quit": "quit", "EOF": "EOF"}
OTHERS = (
    [
        "nosuch ls",
        "h1-1",
        "h1-1 exit",
        "h1-1 echo 'unfinished",
        "h1-1 head -c 4 /bin/ls",
        "h1-1 echo a'g'ain",
        f"SW_SUPERVISOR_1 ping -c1 -W2 {HOST}2",
        "# a comment",
        "",
        "?",
        "!",
    ],
    [
        "Unknown command: nosuch ls",
        "enter a command",
        "unexpected EOF",
        "again",
        "PING 192.0.2.2",
        " 1 received",
    ],
)


def lines_of(*names: str) -> list[str]:
    return [line for name in names for line in COMMANDS[name][0]]


def assert_in_order(said: str, texts: list[str]) -> None:
    at = 0
    for text in texts:
        found = said.find(text, at)
        assert found >= 0, f"no {text!r} in: {said[at:]}"
        at = found + len(text)


@pytest.fixture
def foreign(tmp_path, need_root):
    """Processes, a bridge and a namespace that are not the lab's; they must be there at the end."""
    adopt_orphans()
    with ExitStack() as stack:
        running = []
        for name in ("iperf", "ping", "sleep", "socat", "xterm"):
            shutil.copy(shutil.which("sleep"), program := tmp_path / name)
            running.append(subprocess.Popen([program, "100"]))
            stack.callback(running[-1].wait)
            stack.callback(running[-1].kill)
        for make, undo in (
            ("link add ol-foreign type bridge", "link del ol-foreign"),
            ("netns add ol-foreign", "netns del ol-foreign"),
        ):
            subprocess.run(["ip", *make.split()], check=True)
            stack.callback(subprocess.run, ["ip", *undo.split()], check=True)
        yield
        assert [each.args[0].name for each in running if each.poll() is not None] == []


def test_every_command_of_mininet_is_tried():
    assert {*COMMANDS, *ENDS} == {name[3:] for name in dir(CLI) if name.startswith("do_")}


def test_every_command_in_the_shell_of_a_lab(tmp_path, foreign):
    (tmp_path / "lab.yaml").write_text(SCENARIO)
    (loop := tmp_path / "loop").write_text(f"source {tmp_path / 'loop'}\n")
    script = tmp_path / "all of them"
    lines = [*lines_of(*COMMANDS), *OTHERS[0], "time exit", "exit", "py 'never'"]
    script.write_text("\n".join(lines).replace("LOOP", str(loop)))
    with nothing_left(tmp_path / "labs"), CommandLine(tmp_path / "labs") as line:
        up = line.run("up", str(tmp_path / "lab.yaml"), "--detach", "--name", "tried")
        assert up.returncode == 0, up.stderr
        done = line.run("shell", "tried", str(script))
        said = done.stdout + done.stderr
        assert done.returncode == 0, said
        assert_in_order(
            done.stderr,
            [
                text
                for name, (_, texts) in COMMANDS.items()
                if name not in {"help", "px"}
                for text in texts
                if text not in {"out-23", "Elapsed time: 0."}
            ],
        )
        assert_in_order(
            done.stdout, ["Documented commands", "two guests", "out-23", "25", "Elapsed time: 0."]
        )
        assert_in_order(done.stderr, OTHERS[1])
        assert "Traceback" not in said
        assert "never" not in said
        for ends in ENDS.values():
            assert line.run("shell", "tried", input=f"{ends}\npy 'never'\n").returncode == 0
        ended_by_ctrl_c(line, tmp_path)
        shown = json.loads(line.run("status", "tried", "--format", "json").stdout)
        assert [each["wired"] for each in shown["agents"]] == [True] * 3
        assert shown["state"] == "held"


def ended_by_ctrl_c(line: CommandLine, tmp_path) -> None:
    """Ctrl-C ends the command in the node, not the shell."""
    shell = line.start("shell", "tried", stdin=subprocess.PIPE, start_new_session=True)
    begun = tmp_path / "begun"
    shell.stdin.write(f"h1-1 sh -c 'touch {begun}; exec sleep 100'\n")
    shell.stdin.flush()
    wait_for(begun.exists, "a running command")
    os.killpg(shell.pid, signal.SIGINT)
    before = time.monotonic()
    _, err = shell.communicate("py 20 + 6\n", timeout=20)
    assert time.monotonic() - before < 20
    assert (shell.returncode, "26" in err) == (0, True), err


def test_every_command_in_mn(tmp_path, foreign):
    (tmp_path / "lab.yaml").write_text(SCENARIO)
    names = [name for name in COMMANDS if name not in {"iperf", "help"}]
    lines = [*lines_of(*names), *OTHERS[0], "pingall"]
    topology = f"overlay,scenario={tmp_path / 'lab.yaml'}"
    with nothing_left(tmp_path / "labs"):
        done = subprocess.run(
            ["mn", "--custom", "topologies/overlay.py", "--topo", topology],
            input="\n".join(lines).replace("LOOP", "/nosuch"),
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
            cwd=ROOT,
            env=environment(tmp_path / "labs"),
        )
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    assert "Traceback" not in said
    skipped = {"out-23", "Elapsed time: 0.", "more than"}
    wanted = [text for name in names if name != "px" for text in COMMANDS[name][1]]
    assert_in_order(done.stderr, [each for each in wanted if each not in skipped])
    assert_in_order(done.stderr, [*OTHERS[1], "0% dropped (4/4 received)"])
