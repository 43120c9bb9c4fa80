"""How a run was measured, from its run.json, as tables.  Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from experiments.core.verdict import LIMITS, Found, Limit, Window
from experiments.show.report import NONE, Report, counted

Pairs = tuple[tuple[str, str], ...]
# Limits on counts of the whole run, not of windows.
COUNTED = {"lost_max": "answers or packets unaccounted for", "duplicates_max": "duplicate answers"}


def circumstances(report: Report) -> Pairs:
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
    return tuple((_words(name), text(said)) for name, said in named.items() if said is not None)


def in_short(report: Report) -> str:
    """The machine, in one line."""
    machine = _mapping(report.run.about.get("machine"))
    context = _mapping(machine.get("tools"))
    said = (
        machine.get("cpu"),
        f"{machine['cpus']} CPUs" if "cpus" in machine else None,
        f"Linux {machine['kernel']}" if "kernel" in machine else None,
        f"Open vSwitch {context['ovs']}" if "ovs" in context else None,
    )
    return ", ".join(str(each) for each in said if each)


def environment(report: Report) -> tuple[tuple[str, Pairs], ...]:
    """Machine, programs, sysctls and source: a title and rows for each."""
    about = report.run.about
    machine = _mapping(about.get("machine"))
    plain = {name: said for name, said in machine.items() if not isinstance(said, Mapping)}
    groups = {
        "machine": plain,
        **{n: s for n, s in machine.items() if isinstance(s, Mapping)},
        "source": _mapping(about.get("source")),
    }
    titled = ((_words(name), tuple(_flat(group))) for name, group in groups.items())
    return tuple((name, rows) for name, rows in titled if rows)


def watched(report: Report) -> tuple[tuple[str, str, str, str], ...]:
    """Each quality check: its limit, the value of the run, and its worst window."""
    limits = _mapping(report.run.about.get("thresholds"))
    return tuple(
        (limit.called, _wanted(limit, limits[limit.threshold]), *_had(limit, _found(report, limit)))
        for limit in LIMITS
        if limits.get(limit.threshold) is not None
    )


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
            had = f"{limit.called} {limit.shown(limit.whole(found))}"
            yield f"{had}, {_wanted(limit, bound)}" if bound else f"no {limit.called}"
    for threshold, called in COUNTED.items():
        if (most := limits.get(threshold)) is not None:
            yield f"at most {most} {called}" if most else f"no {called}"
    if (fewest := limits.get("repeats_min") or 0) > 1:  # one is there, or there is no run
        yield f"{report.run.about.get('repeats')} repeats, at least {fewest}"


def _wanted(limit: Limit, bound: float) -> str:
    return f"{'at least' if limit.is_floor else 'at most'} {limit.shown(bound)}"


def _had(limit: Limit, found: list[Found]) -> tuple[str, str]:
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
    for name, said in group.items():
        if isinstance(said, Mapping):
            yield from _flat(said, f"{before}{name} ")
        elif said is not None:
            yield (
                before + (name if "." in name else _words(name)),
                text(said),
            )  # the name of a sysctl stays as it is


def text(said: object) -> str:
    """A value of run.json as text."""
    if isinstance(said, bool):
        return "yes" if said else "no"
    if isinstance(said, list | tuple):
        between = "; " if any(isinstance(each, Mapping) for each in said) else ", "
        return between.join(map(text, said))
    if isinstance(said, Mapping):
        return ", ".join(f"{_words(name)} {text(each)}" for name, each in said.items())
    return str(said)


def _mapping(said: object) -> Mapping[str, Any]:
    return said if isinstance(said, Mapping) else {}


def _words(name: str) -> str:
    return name.replace("_", " ")
