"""`overlaylab check`: says what is right and what is still wrong in an exercise of the course."""

import json
from importlib import import_module
from typing import TYPE_CHECKING

import click

from controller.model.errors import UsageError
from experiments.cli.lab import assert_root, attached
from experiments.cli.status import FORMAT, Status
from experiments.exercises.exercise import Exercise, Finding, answers_of, exercise_named
from topologies.ledger import labs
from topologies.plan.plan import guests

if TYPE_CHECKING:
    from topologies.lab.lab import Lab

JSON_FORMAT = 1


@click.command()
@click.argument("exercise")
@click.argument("lab", required=False)
@click.option(
    "--answer",
    "given",
    multiple=True,
    metavar="NAME=NUMBER",
    help="Your answer to a question, such as copies=15; repeat it for each question.",
)
@FORMAT
def check(exercise: str, lab: str | None, given: tuple[str, ...], output: str) -> int:
    """Show what is right and what is still wrong in the running lab of an EXERCISE.

    `overlaylab list` shows the exercises; docs/course/ has a page for each.  Without LAB, the lab
    with the name of the exercise is checked.  Nothing is changed.

    Exit status: 0 all is right, 1 something is not yet right, 2 this lab is not one of the exercise.

    Example: sudo overlaylab check mtu --answer largest=1450

    Example: sudo overlaylab check faults
    """
    wanted = exercise_named(exercise)
    answers = answers_of(wanted, given)
    found = _lab_of(wanted, lab)
    module = import_module(f"experiments.exercises.{wanted.name}")
    findings: list[Finding] = list(module.check(found, answers))
    wrong = sum(not each.is_right for each in findings)
    if output == "json":
        lines = [
            {"right": each.is_right, "text": each.text, "look": each.look} for each in findings
        ]
        document = {"format": JSON_FORMAT, "exercise": wanted.name, "lab": found.name}
        print(json.dumps({**document, "right": not wrong, "findings": lines}, indent=2))
    else:
        print(*findings, sep="\n")
        print(f"{wrong} of {len(findings)} not yet right" if wrong else "all right")
    return Status.FAILED if wrong else Status.DONE


def _lab_of(wanted: Exercise, lab: str | None) -> "Lab":
    """The running lab of an exercise, with all its servers."""
    start = f"`overlaylab up docs/course/{wanted.name}.yaml --name {wanted.name} --detach`"
    assert_root()
    if lab is None and wanted.name not in labs():
        raise UsageError(
            f"no lab {wanted.name!r}",
            where=f"exercise {wanted.name}",
            allowed=f"a running lab of docs/course/{wanted.name}.yaml",
            do=f"Start it: {start}. If yours has another name: `overlaylab check {wanted.name} LAB`.",
        )
    found = attached(lab or wanted.name)
    if found.overlay.name != wanted.name:
        raise UsageError(
            f"it runs scenario {found.overlay.name!r}",
            where=f"lab {found.name!r}",
            allowed=f"a lab of docs/course/{wanted.name}.yaml",
            do=f"Start it: {start}.",
        )
    with_address = {
        name
        for name, ports in guests(found.overlay).items()
        if any(port.fixed_ips for port in ports)
    }
    missing = [name for name in wanted.servers if name not in with_address]
    if missing:  # a fault must not go away with its server
        raise UsageError(
            f"it has no server {', '.join(missing)} with an address",
            where=f"lab {found.name!r}",
            allowed=f"a lab with the servers of docs/course/{wanted.name}.yaml",
            do=f"Begin again: `overlaylab down {found.name}`, then step 1 of the exercise.",
        )
    return found
