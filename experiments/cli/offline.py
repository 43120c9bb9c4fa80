"""Commands that need neither root nor a lab: list, validate, flows."""

import json
import textwrap
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from controller.model.errors import UsageError
from controller.model.near import did_you_mean
from experiments.cli.status import FORMAT

if TYPE_CHECKING:
    from controller.explain.flow import Explainer
    from controller.flows.pipeline import Flow
    from controller.model.overlay import Overlay
    from controller.model.sites import Sites

JSON_FORMAT = 1
WIDTH = 80  # columns
OPTIONS_SHOWN = 100  # of one kind


@click.command("list")
@FORMAT
def list_(output: str) -> None:
    """Show all experiments, modes, scenarios and exercises, each with a line that describes it.

    Example: overlaylab list
    """
    from controller.model.modes import MODES, describe
    from experiments.core import registry
    from experiments.exercises.exercise import EXERCISES
    from topologies.scenario.load import summaries

    sections = {
        "experiments": tuple((name, registry.question(name).question) for name in registry.names()),
        "modes": tuple((str(mode), describe(mode)) for mode in MODES),
        "scenarios": summaries(),
        "exercises": tuple((each.name, each.summary) for each in EXERCISES.values()),
    }
    if output == "json":
        entries = {
            title: [{"name": name, "summary": line} for name, line in lines]
            for title, lines in sections.items()
        }
        print(json.dumps({"format": JSON_FORMAT, **entries}, indent=2))
        return
    width = max(len(name) for lines in sections.values() for name, _ in lines)
    texts = (
        "\n".join([title, *(f"  {name:<{width}}  {line}" for name, line in lines)])
        for title, lines in sections.items()
    )
    print(*texts, sep="\n\n")


@click.command()
@click.argument("scenario")
def validate(scenario: str) -> None:
    """Check SCENARIO (a name or a .yaml file) and its .ini files; show every error.

    Example: overlaylab validate article
    """
    from controller.model.wording import counted
    from topologies.scenario.load import load

    loaded = load(scenario)
    for warning in loaded.warnings:
        print(f"warning: {warning}")
    for kind, options in loaded.options_by_kind.items():
        if options:
            print(_named(f"{counted(len(options), 'option')} {kind.value}: ", options))
    counts = _counts(loaded.described) | ({"warning": n} if (n := len(loaded.warnings)) else {})
    print(f"{loaded.name}: valid: {', '.join(counted(n, what) for what, n in counts.items())}")


def _named(label: str, names: tuple[str, ...]) -> str:
    """The label and the names, in lines of 80 columns that end between two names."""
    more = (f"and {len(names) - OPTIONS_SHOWN} more",) if len(names) > OPTIONS_SHOWN else ()
    unbroken = (name.replace(" ", "\N{NO-BREAK SPACE}") for name in names[:OPTIONS_SHOWN])
    text = textwrap.fill(
        ", ".join((*unbroken, *more)),
        WIDTH,
        initial_indent=label,
        subsequent_indent="    ",
        break_long_words=False,
        break_on_hyphens=False,
    )
    return text.replace("\N{NO-BREAK SPACE}", " ")


def _counts(described: "Overlay | Sites") -> dict[str, int]:
    """How many hosts, networks and so on a scenario has."""
    from controller.model.sites import Sites

    if isinstance(described, Sites):
        stations = sum(len(site.stations) for site in described.sites)
        return {"site": 2, "router": len(described.routers), "station": stations}
    named = {"host": described.hosts, "network": described.networks, "port": described.ports}
    return {what: len(things) for what, things in named.items()}


@click.command()
@click.argument("scenario")
@click.option("--host", required=True, help="A compute host of the scenario.")
@click.option("--bridge", required=True, help="br-int, br-tun, or a provider bridge.")
@click.option("--mode", help="Use another mode; `overlaylab list` shows them.")
@click.option("--release", help="Use the flow tables of this Neutron release.")
@click.option("--explain", is_flag=True, help="Explain what each flow does with which frames.")
@FORMAT
def flows(  # noqa: PLR0917  click's options, by name
    scenario: str,
    host: str,
    bridge: str,
    mode: str | None,
    release: str | None,
    output: str,
    *,
    explain: bool,
) -> None:
    """Show the flows that the controller would install, as `ovs-ofctl` prints them.

    SCENARIO is a name that `overlaylab list` shows, or a .yaml file.

    Example: overlaylab flows article --host controller --bridge br-tun

    Example: overlaylab flows article --host computer --bridge br-int --explain
    """
    from controller.explain.flow import Explainer
    from controller.explain.names import Names
    from controller.flows.binding import new_binding
    from controller.flows.bridges import bridge_flows
    from controller.flows.text import dump
    from experiments.cli.explain_text import explained
    from experiments.cli.scenarios import loaded

    overlay = _with_options(loaded(scenario).overlay, mode, release)
    binding = new_binding(overlay, host)
    wanted = bridge_flows(overlay, binding, bridge)
    explainer = Explainer(Names(overlay, overlay.host(host), binding), wanted) if explain else None
    if output == "text":
        print(*(explained(explainer) if explainer else dump(wanted)), sep="\n")
        return
    document = {
        "format": JSON_FORMAT,
        "scenario": overlay.name,
        "mode": mode,
        "release": overlay.release,
        "host": host,
        "bridge": bridge,
        "ports": dict(binding.ofports.get(bridge, {})),
        "flows": _as_json(wanted, explainer),
    }
    print(json.dumps(document, indent=2))


def _with_options(overlay: "Overlay", mode: str | None, release: str | None) -> "Overlay":
    from controller.flows.pipeline import RELEASES
    from controller.model.modes import parse_mode, with_mode

    if release is not None and release not in RELEASES:
        raise UsageError(
            repr(release),
            where="release",
            allowed=", ".join(RELEASES),
            do=did_you_mean(release, RELEASES, "Pick one of them."),
        )
    changed = with_mode(overlay, parse_mode(mode) if mode is not None else None)
    return replace(changed, release=release or changed.release)


def _as_json(wanted: Iterable["Flow"], explainer: "Explainer[Flow] | None") -> list[dict[str, Any]]:
    from controller.explain.flow import table_name
    from controller.flows.text import ordered

    return [
        {
            "table": int(flow.table),
            "table_name": table_name(flow.bridge, flow.release, flow.table),
            "priority": int(flow.priority),
            "match": dict(flow.match),
            "actions": [str(action) for action in flow.actions],
            "why": flow.why,
            **({"explanation": explainer.explain(flow)} if explainer else {}),
        }
        for flow in ordered(wanted)
    ]
