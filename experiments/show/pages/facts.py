"""What run.json says of the circumstances of a run, in tables.  Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from experiments.core.verdict import LIMITS, Found, Limit, Window
from experiments.show.report import NONE, Report, counted

Pairs = tuple[tuple[str, str], ...]
# Limits on what is counted over the whole run, and not in windows.
COUNTED = {"lost_max": "answers or packets unaccounted for", "duplicates_max": "duplicate answers"}


def circumstances(report: Report) -> Pairs:
    """How it was measured."""
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
    """The machine, in a line."""
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
    """Machine, programs, sysctls, source: a title, and what there is to tell under it."""
    about = report.run.about
    machine = _mapping(about.get("machine"))
    plain = {name: said for name, said in machine.items() if not isinstance(said, Mapping)}
    groups = {
        "machine": plain,
        **{n: s for n, s in machine.items() if isinstance(s, Mapping)},
        "source": _mapping(about.get("source")),
    }
    told_groups = ((_words(name), tuple(_flat(group))) for name, group in groups.items())
    return tuple((name, rows) for name, rows in told_groups if rows)


def watched(report: Report) -> tuple[tuple[str, str, str, str], ...]:
    """What had to be kept for the figures to be trusted: limit, what the run had, its worst window."""
    limits = _mapping(report.run.about.get("thresholds"))
    return tuple(
        (limit.called, _wanted(limit, limits[limit.threshold]), *_had(limit, _found(report, limit)))
        for limit in LIMITS
        if limits.get(limit.threshold) is not None
    )


def verdict(report: Report) -> str:
    """Whether the run is trusted, and which limits it kept: else the word would say nothing."""
    if not report.trusted:
        return report.verdict
    kept = tuple(_kept(report))
    many = f"it kept {counted(len(kept), 'limit')} ({'; '.join(kept)})"
    return f"{report.verdict}: {many if kept else 'no limit was set on what it measures'}"


def _kept(report: Report) -> Iterator[str]:
    """Each limit that a figure was held against: that figure, and the limit if it is not 0."""
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
        yield f"{report.run.about.get('repeats')} blocks, at least {fewest}"


def _wanted(limit: Limit, bound: float) -> str:
    return f"{'at least' if limit.is_floor else 'at most'} {limit.shown(bound)}"


def _had(limit: Limit, found: list[Found]) -> tuple[str, str]:
    if not found:
        return NONE, NONE
    return limit.shown(limit.whole(found)), limit.shown(limit.worst(found).value)


def _found(report: Report, limit: Limit) -> list[Found]:
    """The figure in every window that has it."""
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
            )  # a sysctl is not prose


def text(said: object) -> str:
    """A value of run.json for people."""
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
