"""How a run was measured, from its run.json, as tables.  Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from controller.model.wording import counted
from experiments.core.verdict import LIMITS, Found, Limit, Window
from experiments.show.report import NONE, Report

Pairs = tuple[tuple[str, str], ...]
# Limits on counts of the whole run, not of windows.
COUNTED = {"lost_max": "answers or packets unaccounted for", "duplicates_max": "duplicate answers"}


def settings(report: Report) -> Pairs:
    """The settings of the run."""
    about = report.run.about
    lab = _mapping(about.get("lab"))
    hosts = about.get("hosts") or ()
    named = {
        "scenario": about.get("scenario"),
        "hosts": len(hosts) or None,
        "pipeline": about.get("release"),
        **lab,
        "repeats": about.get("repeats"),
        "seed": report.run.seed,
        **_mapping(about.get("settings")),
    }
    return tuple(
        (_readable(name), text(value)) for name, value in named.items() if value is not None
    )


def machine_line(report: Report) -> str:
    """The machine, in one line."""
    machine = _mapping(report.run.about.get("machine"))
    tools = _mapping(machine.get("tools"))
    parts = (
        machine.get("cpu"),
        f"{machine['cpus']} CPUs" if "cpus" in machine else None,
        f"Linux {machine['kernel']}" if "kernel" in machine else None,
        f"Open vSwitch {tools['ovs']}" if "ovs" in tools else None,
    )
    return ", ".join(str(each) for each in parts if each)


def environment(report: Report) -> tuple[tuple[str, Pairs], ...]:
    """Machine, programs, sysctls and source: a title and rows for each."""
    about = report.run.about
    machine = _mapping(about.get("machine"))
    plain = {name: value for name, value in machine.items() if not isinstance(value, Mapping)}
    groups = {
        "machine": plain,
        **{name: value for name, value in machine.items() if isinstance(value, Mapping)},
        "source": _mapping(about.get("source")),
    }
    titled = ((_readable(name), tuple(_flat(group))) for name, group in groups.items())
    return tuple((name, rows) for name, rows in titled if rows)


def quality_checks(report: Report) -> tuple[tuple[str, str, str, str], ...]:
    """Each quality check: its limit, the value of the run, and its worst window."""
    limits = _mapping(report.run.about.get("thresholds"))
    return tuple(
        (
            limit.called,
            _allowed(limit, limits[limit.threshold]),
            *_measured(limit, _found(report, limit)),
        )
        for limit in LIMITS
        if limits.get(limit.threshold) is not None
    )


def verdict_line(report: Report) -> str:
    """Whether the run is trusted, and how many quality checks it passed."""
    many = len(tuple(_passed(report))) if report.trusted else 0
    return report.verdict + (f", passed {counted(many, 'quality check')}" if many else "")


def verdict(report: Report) -> str:
    """Whether the run is trusted, and which quality checks it passed."""
    if not report.trusted:
        return report.verdict
    passed = tuple(_passed(report))
    many = f"passed {counted(len(passed), 'quality check')} ({'; '.join(passed)})"
    return f"{report.verdict}: {many if passed else 'no quality check applies'}"


def _passed(report: Report) -> Iterator[str]:
    """Each quality check: the measured value, and the limit if it is not 0."""
    limits = _mapping(report.run.about.get("thresholds"))
    for limit in LIMITS:
        bound, found = limits.get(limit.threshold), _found(report, limit)
        if bound is not None and found:
            shown = f"{limit.called} {limit.shown(limit.whole(found))}"
            yield f"{shown}, {_allowed(limit, bound)}" if bound else f"no {limit.called}"
    for threshold, called in COUNTED.items():
        if (most := limits.get(threshold)) is not None:
            yield f"at most {most} {called}" if most else f"no {called}"
    if (fewest := limits.get("repeats_min") or 0) > 1:  # one is there, or there is no run
        yield f"{report.run.about.get('repeats')} repeats, at least {fewest}"


def _allowed(limit: Limit, bound: float) -> str:
    return f"{'at least' if limit.is_floor else 'at most'} {limit.shown(bound)}"


def _measured(limit: Limit, found: list[Found]) -> tuple[str, str]:
    if not found:
        return NONE, NONE
    return limit.shown(limit.whole(found)), limit.shown(limit.worst(found).value)


def _found(report: Report, limit: Limit) -> list[Found]:
    """The value in every window that has one."""
    windows = [
        window
        for each in report.run.about.get("measured", ())
        for window in each.get("windows", ())
        if window.get(limit.figure) is not None
    ]
    return [
        Found(window[limit.figure], "", Window(length_s=window.get("length_s")))
        for window in windows
    ]


def _flat(group: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, str]]:
    for name, value in group.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{before}{name} ")
        elif value is not None:
            yield (
                before + (name if "." in name else _readable(name)),
                text(value),
            )  # the name of a sysctl stays as it is


def text(value: object) -> str:
    """A value of run.json as text."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        between = "; " if any(isinstance(each, Mapping) for each in value) else ", "
        return between.join(map(text, value))
    if isinstance(value, Mapping):
        return ", ".join(f"{_readable(name)} {text(each)}" for name, each in value.items())
    return str(value)


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _readable(name: str) -> str:
    return name.replace("_", " ")
