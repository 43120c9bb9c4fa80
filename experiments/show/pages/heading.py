"""The first lines of a page: what ran, when and where.  Pure."""

import re
from collections.abc import Mapping, Sequence

from controller.model.wording import listed
from experiments.show.pages.chapter import Chapter
from experiments.show.pages.facts import machine_line

STAMP = re.compile(r"(\d{4})-(0[1-9]|1[0-2])-(\d\d)T(\d\d:\d\d)")
DATAPATHS = {"netdev": "netdev (in user space)", "system": "system (in the kernel)"}
SUITE = "GRE and VXLAN overlays compared"
NAMED = 3  # a suite of more experiments does not name them in its title
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def title(name: str, start: object) -> str:
    """What a run was, and its day: `fanout, 23 Nov 2026`."""
    return ", ".join(filter(None, (name, day(start))))


def suite_title(chapters: Sequence[Chapter], start: object) -> str:
    """What a suite was, and its day: `GRE and VXLAN overlays compared, 23 Nov 2026`."""
    names = ", ".join(each.name for each in chapters)
    return title(f"{SUITE}: {names}" if len(chapters) <= NAMED else SUITE, start)


def day(stamp: object) -> str:
    """`2026-11-23T01:43:38Z` as `23 Nov 2026`; empty if it is no time."""
    found = STAMP.match(str(stamp))
    if found is None:
        return ""
    year, month, number = map(int, found.groups()[:3])
    return f"{number} {MONTHS[month - 1]} {year}"


def span(start: object, end: object) -> str:
    """`08:45 to 09:23 UTC`; empty if one of them is no time."""
    times = [found[4] for each in (start, end) if (found := STAMP.match(str(each)))]
    return " to ".join(dict.fromkeys(times)) + " UTC" if len(times) == 2 else ""


def place(chapters: Sequence[Chapter]) -> str:
    """What ran where, in one line: machine, Open vSwitch, datapath, controller, scenarios."""
    reports = [each.report for each in chapters if each.report]
    labs = [each.run.about.get("lab") for each in reports]
    datapaths = dict.fromkeys(
        str(lab["datapath"]) for lab in labs if isinstance(lab, Mapping) and "datapath" in lab
    )
    scenarios = dict.fromkeys(
        str(named) for each in reports if (named := each.run.about.get("scenario"))
    )
    parts = (
        *dict.fromkeys(filter(None, map(machine_line, reports))),
        *(f"datapath {DATAPATHS.get(each, each)}" for each in datapaths),
        f"scenario{'s' if len(scenarios) > 1 else ''} {listed(scenarios)}" if scenarios else "",
    )
    return ", ".join(filter(None, parts))
