"""Flows as text, exactly as `ovs-ofctl -O OpenFlow13 --names --no-stats` prints them.  Pure."""

import re
from collections.abc import Iterable

from controller.flows.actions import Action
from controller.flows.pipeline import Flow

COOKIE = re.compile(r"cookie=0x[0-9a-f]+,\s*")
TIMES = re.compile(r"(?:duration|n_packets|n_bytes|idle_age|hard_age)=[^,]+,\s*")


def _field(name: str, value: str | int) -> str:
    if name == "proto":  # printed without its name
        return str(value)
    if name in {"tun_id", "reg6"}:
        return f"{name}={value:#x}"
    return f'{name}="{value}"' if name == "in_port" else f"{name}={value}"


def actions_text(actions: Iterable[Action]) -> str:
    """The actions as ovs-ofctl writes them; `drop` if there are none."""
    return ",".join(map(str, actions)) or "drop"


def flow_text(flow: Flow) -> str:
    """One line of a dump; ovs-ofctl does not print table 0."""
    table = f"table={flow.table}, " if flow.table else ""
    matched = "".join(f",{_field(name, value)}" for name, value in flow.match)
    return f"{table}priority={int(flow.priority)}{matched} actions={actions_text(flow.actions)}"


def ordered(flows: Iterable[Flow]) -> list[Flow]:
    """All flows, by table, then priority from high to low, then text."""
    return sorted(flows, key=lambda flow: (flow.table, -flow.priority, flow_text(flow)))


def dump(flows: Iterable[Flow]) -> list[str]:
    """The text of all flows, in the order of `ordered`."""
    return [flow_text(flow) for flow in ordered(flows)]


def normalise(dumped: str) -> list[str]:
    """The dump of a switch without cookies and counters, in the order of `dump`."""
    lines = (TIMES.sub("", COOKIE.sub("", line)).strip() for line in dumped.splitlines())
    return sorted((line for line in lines if "actions=" in line), key=_key)


def _key(line: str) -> tuple[int, int, str]:
    table, priority = re.search(r"table=(\d+)", line), re.search(r"priority=(\d+)", line)
    return (
        int(table[1]) if table else 0,
        -(int(priority[1]) if priority else 32768),  # OpenFlow's default; ovs-ofctl hides it
        line,
    )
