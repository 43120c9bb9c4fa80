"""The flows of a running switch, each with its explanation.  Pure: a dump in, values out."""

import re
from dataclasses import dataclass

from controller.explain.flow import Explainer
from controller.model.errors import SwitchError
from topologies.trace.way import explanation

# A line of `normalise`: timeouts and the table stand before the priority.
LINE = re.compile(
    r"(?:table=(?P<table>\d+), )?(?:\w+=[^ ]+, )*(?:\w+, )*"
    r"priority=(?P<priority>\d+)(?:,(?P<match>\S+))? actions=(?P<actions>.*)$"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class InstalledFlow:
    """One flow as the switch has it; `match` and `actions` are ovs-ofctl's text."""

    table: int
    priority: int
    match: str
    actions: str
    why: str


def installed(explainer: Explainer | None, line: str) -> InstalledFlow:
    """A line of a dump with its explanation.

    Args:
        explainer: of the bridge; None if the controller does not own it.
        line: as `controller.flows.text.normalise` returns it.

    Raises:
        SwitchError: it is not a flow.
    """
    found = LINE.match(line)
    if found is None:
        raise SwitchError(
            repr(line),
            where="dump-flows",
            allowed="a flow as `ovs-ofctl dump-flows --names --no-stats` prints it",
            do="Report this line with the version of Open vSwitch.",
        )
    match, actions = found["match"] or "", found["actions"]
    why, _ = explanation(explainer, line, match, actions)
    return InstalledFlow(
        table=int(found["table"] or 0),
        priority=int(found["priority"]),
        match=match,
        actions=actions,
        why=why,
    )
