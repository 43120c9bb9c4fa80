"""Commands on running labs: up, exec, status, shell, capture, plug, unplug, trace, down."""

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from controller.model.errors import HostError, UsageError
from experiments.cli.output_file import STDOUT, write_output
from experiments.cli.status import APP, DATAPATH, FORMAT, Status

if TYPE_CHECKING:
    from topologies.lab import Lab

LAB = click.argument("lab")


def assert_root() -> None:
    """Check that this process is root, as all commands on labs need.

    Raises:
        HostError: it is not.
    """
    if os.geteuid() != 0:
        raise HostError(
            "not root", where="labs", allowed="root", do="Run the command with sudo, or as root."
        )


def attached(name: str) -> "Lab":
    """The running lab with this name, for a process that is root."""
    from topologies.lab import attach

    assert_root()
    return attach(name)


def _say(text: str) -> None:
    """Show progress, on a terminal only."""
    if sys.stderr.isatty():
        click.echo(text, err=True)


@click.command()
@click.argument("scenario")
@click.option(
    "--mode", help="Encapsulation and flooding of the networks; `overlaylab list` shows the modes."
)
@click.option(
    "--hosts",
    type=click.INT,
    metavar="N",
    help="Compute hosts: the first N of the scenario, or more, each with one server (server3 on "
    "the third host) on the first network.",
)
@click.option(
    "--mtu",
    type=click.INT,
    metavar="N",
    help="MTU of the underlay; networks without an mtu of their own follow it.",
)
@click.option("--name", help="Name of the lab; a random one by default.")
@click.option("--detach", is_flag=True, help="Return when the lab is ready; it keeps running.")
@DATAPATH
@APP
def up(
    scenario: str,
    *,
    mode: str | None,
    hosts: int | None,
    mtu: int | None,
    detach: bool,
    **options: Any,
) -> None:
    """Start a lab of SCENARIO and keep it running until Ctrl-C, or with --detach until `down`.

    SCENARIO is a name that `overlaylab list` shows, or a .yaml file.

    Example: sudo overlaylab up article --name demo --detach

    Example: sudo overlaylab up article --hosts 4 --mtu 9000 --detach
    """
    from controller.model.enlarge import varied
    from controller.model.sites import Sites
    from experiments.cli import scenarios
    from experiments.cli.doctor import assert_host_ready
    from topologies.lab import holder, started
    from topologies.plan.plan import uses_tun

    loaded = scenarios.loaded(scenario)
    overlay = loaded.described
    given = {"mode": mode, "hosts": hosts, "mtu": mtu}
    if isinstance(overlay, Sites):
        _assert_none(scenario, given)
    else:
        overlay = varied(overlay, mode=mode, hosts=hosts, mtu=mtu)
        scenarios.print_mtu_warnings(overlay)
    assert_host_ready(tun=uses_tun(overlay, options["datapath"]))
    if detach:
        click.echo(holder.detach(overlay, _say, **options))
        return
    with started(overlay, say=_say, **options) as lab:
        click.echo(lab.name)
        holder.hold(lab, _say)


def _assert_none(scenario: str, given: dict[str, Any]) -> None:
    """Refuse options that a scenario of two sites has no use for."""
    options = [f"--{name}" for name, value in given.items() if value is not None]
    if options:
        raise UsageError(
            ", ".join(options),
            where=f"scenario {scenario!r}, which has two sites and no compute hosts",
            allowed="none of --mode, --hosts and --mtu",
            do="Leave them out, or use another scenario.",
        )


@click.command(
    "exec", context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False}
)
@LAB
@click.argument("node")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def exec_(lab: str, node: str, command: tuple[str, ...]) -> None:
    """Run COMMAND in NODE of LAB; return its exit status.

    A NODE is a compute host, a guest, or another node that `overlaylab status LAB` lists.

    Example: sudo overlaylab exec demo ServerA -- ping -c 3 172.16.166.125

    Example: sudo overlaylab exec demo controller -- ovs-ofctl dump-flows br-tun
    """
    from controller.system.commands import become
    from topologies.plan.ovs import ENVIRONMENT

    found = attached(lab)
    argv = command[1:] if command[0] == "--" else command
    become(*argv, pid=found.pid(node), mark=found.ledger.token, env=ENVIRONMENT)


@click.command()
@click.argument("lab", required=False)
@FORMAT
def status(lab: str | None, output: str) -> int:
    """Show nodes, tunnels, flows and agents of LAB, or of every lab, and what is wrong there.

    The exit status is 1 if something is wrong.

    Example: sudo overlaylab status demo
    """
    from topologies.lab.status import status_of, statuses

    assert_root()
    found = statuses() if lab is None else [status_of(lab)]
    if output == "json":
        click.echo(json.dumps({"labs": found} if lab is None else found[0], indent=1))
    else:
        from experiments.cli.lab_text import show

        show(found)
    return Status.DONE if all(each["healthy"] for each in found) else Status.FAILED


@click.command()
@LAB
@click.argument("script", required=False, type=click.Path(exists=True, dir_okay=False))
def shell(lab: str, script: str | None) -> None:
    """Open Mininet's command line on LAB; with SCRIPT, run the commands in that file.

    Example: sudo overlaylab shell demo
    """
    net = attached(lab).net
    from topologies.lab.shell import Shell, script_lines

    if script:
        try:
            script_lines(Path(script))
        except OSError as error:
            raise UsageError(
                error.strerror or str(error),
                where=f"script {script!r}",
                allowed="a text file that can be read",
                do="Give one, with a command a line, or none to type them.",
            ) from error
    try:
        Shell(net, script=script)
    finally:
        for node in net.values():
            node.terminate()  # only its shell; the lab keeps running


@click.command()
@LAB
@click.argument("node")
@click.argument("interface", required=False)
@click.option(
    "-w",
    "file",
    type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
    help="The pcapng file to write; - for standard output.",
)
@click.option("--count", type=click.IntRange(1), help="Stop after this number of packets.")
@click.option("--seconds", type=click.FloatRange(0.1), help="Stop after this time.")
def capture(  # noqa: PLR0917  click passes every option as an argument
    lab: str,
    node: str,
    interface: str | None,
    file: Path | None,
    count: int | None,
    seconds: float | None,
) -> None:
    """Write the packets of INTERFACE in NODE to a file, until Ctrl-C.

    INTERFACE is a name, or the node that the interface is connected to.  Without it: list the
    interfaces of NODE.

    Example: sudo overlaylab capture demo controller

    Example: sudo overlaylab capture demo ServerA eth0 -w a.pcapng --seconds 10

    Example: sudo overlaylab capture demo underlay computer -w - | tshark -i -
    """
    from experiments.cli.lab_text import interface_lines
    from topologies.lab.capture import capture as run
    from topologies.lab.interfaces import interfaces_of

    if bool(interface) != bool(file):
        raise UsageError(
            f"{'INTERFACE' if interface else '-w'} without {'-w' if interface else 'INTERFACE'}",
            where="overlaylab capture",
            allowed="both to capture, neither to list the interfaces",
            do=f"Add `-w FILE` (- is standard output) after {interface!r}."
            if interface
            else f"`overlaylab capture {lab} {node}` lists the interfaces.",
        )
    found = attached(lab)
    if interface and file:
        run(found, node, interface, file, packets=count or 0, seconds=seconds or 0)
    else:
        print(*interface_lines(interfaces_of(found, node)), sep="\n")


@click.command()
@LAB
@click.argument("port_id")
def plug(lab: str, port_id: str) -> None:
    """Start the guest of a port that was created through LAB's API.

    Example: sudo overlaylab plug demo 00a1bde0-be17-4c53-9d20-166117750000
    """
    attached(lab).plug(port_id)


@click.command()
@LAB
@click.argument("port_id")
def unplug(lab: str, port_id: str) -> None:
    """Remove a port's interface, and its guest if that was the last one.

    Example: sudo overlaylab unplug demo 00a1bde0-be17-4c53-9d20-166117750000
    """
    attached(lab).unplug(port_id)


@click.command()
@LAB
@click.argument("source", metavar="SRC")
@click.argument("target", metavar="DST")
@click.option(
    "--frame",
    type=click.Choice(["arp", "ping", "broadcast"]),
    default="arp",
    show_default=True,
    help="The frame from SRC: an ARP request for DST, a ping to DST, or a broadcast ping.",
)
@click.option(
    "--format",
    "output",
    type=click.Choice(["text", "json", "html"]),
    default="text",
    show_default=True,
    help="Text, one JSON document, or a page to step through table by table.",
)
@click.option(
    "-o", "file", default=STDOUT, metavar="FILE", help="Write to this file instead of printing."
)
def trace(  # noqa: PLR0917  click passes every option as an argument
    lab: str, source: str, target: str, frame: str, output: str, file: str
) -> int:
    """Show what the switches of LAB would do now with a frame from guest SRC to guest DST.

    Nothing is sent. The exit status is 1 if the frame would not arrive.

    Example: sudo overlaylab trace demo ServerA ServerB --frame ping

    Example: sudo overlaylab trace demo ServerA ServerB --format html -o a.html
    """
    from experiments.cli.pages.trace_page import as_html
    from experiments.cli.trace_text import as_json, as_text
    from topologies.trace.trace import trace_frame

    course = trace_frame(attached(lab), source, target, frame)
    if output == "text":
        text = as_text(course, click.style) if file == STDOUT else as_text(course)
    else:
        text = {"json": as_json, "html": as_html}[output](course)
    if file == STDOUT:
        click.echo(text.rstrip())
    else:
        write_output(Path(file), f"{text.rstrip()}\n".encode())
    return Status.DONE if course.delivered else Status.FAILED


@click.command()
@click.argument("lab", required=False)
@click.option("--all", "every", is_flag=True, help="Take down every lab on this machine.")
def down(lab: str | None, *, every: bool) -> None:
    """Take LAB down; nothing else on this machine is touched.

    Example: sudo overlaylab down demo
    """
    from topologies.lab.clearing import take_down_all, take_down_by_name

    if bool(lab) == every:
        raise UsageError(
            "a lab name and --all" if lab else "neither a lab name nor --all",
            where="overlaylab down",
            allowed="a lab name, or --all",
            do="Give one of the two.",
        )
    assert_root()
    if lab:
        take_down_by_name(lab)
    else:
        take_down_all()
