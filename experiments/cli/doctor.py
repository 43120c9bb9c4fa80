"""`overlaylab doctor`: what this machine has and lacks, and the command that mends it."""

import importlib.util
import json
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import click

from controller.model.errors import CommandError
from controller.system.commands import attempt
from experiments.cli.host_checks import (
    OPTIONAL,
    PROGRAMS,
    Facts,
    Finding,
    findings,
    host_error,
    is_ready,
    needed,
)
from experiments.cli.needs import PYTHON

ROOT = Path(__file__).resolve().parents[2]
EXIT_HOST = 4
SBIN = ("/usr/sbin", "/sbin")
# Each in a network namespace of its own, which ends with the command.
TRIALS = {
    "bridge": (
        "ip link add ol-a type veth peer name ol-b && ip link add ol-br type bridge"
        " && ip link set ol-a master ol-br mtu 1600"
    ),
    "netem": "tc qdisc add dev lo root netem delay 1ms",
}


def assert_host_ready(*, root: bool = True) -> None:
    """Raise unless a lab can be raised here, as far as a glance tells (milliseconds).

    Args:
        root: whether the task needs root.

    Raises:
        HostError: all that is missing, and what brings it.
    """
    lacking = [each for each in needed(_glance()) if each.is_there is False]
    if any(root or each.name != "root" for each in lacking):
        raise host_error(tuple(each for each in lacking if root or each.name != "root"))


def look() -> Facts:
    """Everything the doctor tells of; as root, things are tried, too."""
    glance = _glance()
    return Facts(
        is_root=glance.is_root,
        programs=glance.programs,
        modules=glance.modules,
        ovs_version=glance.ovs_version,
        trials={name: _tried(script) for name, script in TRIALS.items()} if glance.is_root else {},
        has_kernel_ovs=Path("/sys/module/openvswitch").exists(),
        has_ryu=os.access(ROOT / ".venv-ryu" / "bin" / "ryu-manager", os.X_OK),
    )


def _glance() -> Facts:
    wanted, path = (*PROGRAMS, *OPTIONAL), search_path(os.environ)
    programs = {name: shutil.which(name, path=path) for name in wanted}
    return Facts(
        is_root=os.geteuid() == 0,
        programs=programs,
        modules={name: _is_importable(name) for name in (*PYTHON, "mininet")},
        ovs_version=_ovs_version(programs["ovs-vswitchd"]),
    )


def _is_importable(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ImportError:  # of the package that a dotted name is in
        return False


def search_path(environment: Mapping[str, str]) -> str:
    """PATH as root has it: Debian's other users have no sbin in theirs."""
    path = environment.get("PATH", os.defpath)
    return ":".join((path, *(each for each in SBIN if each not in path.split(":"))))


def extend_path() -> None:
    """Let all that this program starts, Mininet too, find what the doctor finds."""
    os.environ["PATH"] = search_path(os.environ)


def _ovs_version(program: str | None) -> tuple[int, ...]:
    try:
        return version_in(attempt(program, "--version").stdout) if program else ()
    except CommandError:
        return ()


def version_in(report: str) -> tuple[int, ...]:
    """The first dotted number in what a program says of itself; empty if there is none."""
    dotted = re.search(r"\d+(\.\d+)+", report)
    return tuple(int(part) for part in dotted[0].split(".")) if dotted else ()


def _tried(script: str) -> str:
    try:
        done = attempt("unshare", "--net", "--", "sh", "-c", script)
    except CommandError as error:
        return str(error)
    return "" if done.returncode == 0 else done.stderr.strip() or "it failed without a word"


def as_json(found: tuple[Finding, ...]) -> str:
    """One JSON document: `ready`, and every finding."""
    return json.dumps({"ready": is_ready(found), "findings": [asdict(each) for each in found]})


def as_text(found: tuple[Finding, ...]) -> str:
    """One line a finding, and a last one that sums up."""
    last = "a lab can be raised" if is_ready(found) else "no lab can be raised here"
    return "\n".join([*(_line(each) for each in found), last])


def _line(each: Finding) -> str:
    sign = {True: "ok", None: "?", False: "LACKS" if each.is_needed else "-"}[each.is_there]
    return f"{sign:<5}  {each.name:<26}  {each.found}{'.  ' if each.remedy else ''}{each.remedy}"


@click.command()
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
def doctor(form: str) -> None:
    """What this machine has and lacks, and the command that mends it."""
    found = findings(look())
    click.echo(as_json(found) if form == "json" else as_text(found))
    if not is_ready(found):
        raise click.exceptions.Exit(EXIT_HOST)


commands: tuple[click.Command, ...] = (doctor,)
