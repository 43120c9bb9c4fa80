"""`overlaylab doctor`: what this machine has and lacks, and how to install what is missing."""

import json
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path

import click

from controller.model.errors import CommandError
from controller.system.abilities import folder_error, packet_error, tun_error
from controller.system.commands import attempt
from experiments.cli.host_checks import (
    FOLDER,
    OPTIONAL,
    PACKET,
    PROGRAMS,
    TUN,
    Facts,
    Finding,
    findings,
    host_error,
    is_ready,
    needed,
)
from experiments.cli.needs import PYTHON, is_importable
from experiments.cli.status import FORMAT, Status

ROOT = Path(__file__).resolve().parents[2]
SBIN = ("/usr/sbin", "/sbin")
# Each runs in its own network namespace, which is removed when the command ends.
TRIALS = {
    "bridge": (
        "ip link add ol-a type veth peer name ol-b && ip link add ol-br type bridge"
        " && ip link set ol-a master ol-br mtu 1600"
    ),
    "netem": "tc qdisc add dev lo root netem delay 1ms",
}


def assert_host_ready(*, root: bool = True, tun: bool = True) -> None:
    """Check that a lab can be started here, without the trials (milliseconds).

    Args:
        root: whether the task needs root.
        tun: whether the lab has OVS in user space.

    Raises:
        HostError: all that is missing, and how to install it.
    """
    missing = tuple(
        each
        for each in needed(_quick_facts())
        if each.is_there is False
        and (root or each.name != "root")
        and (tun or each.name not in {TUN, PACKET})
    )
    if missing:
        raise host_error(missing)


def gather_facts() -> Facts:
    """All facts about this machine; the trials need root."""
    quick = _quick_facts()
    return replace(
        quick,
        trials={name: _tried(script) for name, script in TRIALS.items()} if quick.is_root else {},
        has_kernel_ovs=Path("/sys/module/openvswitch").exists(),
        has_ryu=os.access(ROOT / ".venv-ryu" / "bin" / "ryu-manager", os.X_OK),
    )


def _quick_facts() -> Facts:
    wanted, path = (*PROGRAMS, *OPTIONAL), search_path(os.environ)
    programs = {name: shutil.which(name, path=path) for name in wanted}
    is_root = os.geteuid() == 0
    return Facts(
        is_root=is_root,
        abilities=_abilities() if is_root else {},
        programs=programs,
        modules={name: is_importable(name) for name in (*PYTHON, "mininet")},
        ovs_version=_ovs_version(programs["ovs-vswitchd"]),
    )


def _abilities() -> dict[str, str]:
    from topologies.ledger import home

    return {TUN: tun_error(), PACKET: packet_error(), FOLDER: folder_error(home())}


def search_path(environment: Mapping[str, str]) -> str:
    """PATH with the sbin folders, which Debian's users other than root do not have in theirs."""
    path = environment.get("PATH", os.defpath)
    return ":".join((path, *(each for each in SBIN if each not in path.split(":"))))


def _ovs_version(program: str | None) -> tuple[int, ...]:
    try:
        return version_in(attempt(program, "--version").stdout) if program else ()
    except CommandError:
        return ()


def version_in(report: str) -> tuple[int, ...]:
    """The first dotted number in the output of `--version`; empty if there is none."""
    dotted = re.search(r"\d+(\.\d+)+", report)
    return tuple(int(part) for part in dotted[0].split(".")) if dotted else ()


def _tried(script: str) -> str:
    try:
        done = attempt("unshare", "--net", "--", "sh", "-c", script)
    except CommandError as error:
        return str(error)
    return "" if done.returncode == 0 else done.stderr.strip() or f"exit status {done.returncode}"


def as_json(found: tuple[Finding, ...]) -> str:
    """One JSON document: `ready`, and every finding."""
    return json.dumps({"ready": is_ready(found), "findings": [asdict(each) for each in found]})


def as_text(found: tuple[Finding, ...]) -> str:
    """A line for each finding, and the conclusion."""
    last = "a lab can be started" if is_ready(found) else "no lab can be started on this machine"
    return "\n".join([*(_line(each) for each in found), last])


def _line(each: Finding) -> str:
    sign = {True: "ok", None: "?", False: "LACKS" if each.is_needed else "-"}[each.is_there]
    return f"{sign:<5}  {each.name:<26}  {each.found}{'.  ' if each.remedy else ''}{each.remedy}"


@click.command()
@FORMAT
def doctor(output: str) -> None:
    """Show what this machine has and lacks, and how to install what is missing.

    Example: overlaylab doctor
    """
    found = findings(gather_facts())
    click.echo(as_json(found) if output == "json" else as_text(found))
    if not is_ready(found):
        raise click.exceptions.Exit(Status.HOST_CANNOT)
