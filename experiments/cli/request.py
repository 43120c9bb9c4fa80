"""From the command line to a request; every error is found before root is needed."""

import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from controller.model.errors import MeasureError, ModelError, UsageError
from controller.model.near import did_you_mean
from experiments.core import registry

if TYPE_CHECKING:
    from controller.model.overlay import Overlay
    from controller.model.sites import Sites
    from experiments.core.experiment import Experiment
    from experiments.core.question import Point
    from experiments.measure.runner import Request

SEED_MAX = 2**32
ALL = "all"  # every experiment


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The options of the command line."""

    scenario: str | None  # None: each experiment's own
    modes: str | None
    hosts: int | None
    repeats: int | None
    seed: int | None
    quick: bool
    out: Path
    app: str = "os-ken"
    datapath: str = "netdev"
    output: str = "text"


def experiments_of(names: tuple[str, ...]) -> "list[Experiment]":
    """The named experiments, each once; the default ones if none is named.

    Raises:
        UsageError: there is no such experiment.
    """
    from experiments.cli.loader import find, is_own

    known = registry.names()
    for name in names:
        if name not in (*known, ALL) and not is_own(name):
            raise UsageError(
                repr(name),
                where="experiment",
                allowed=f"{', '.join(known)}, {ALL}, or the path of a .py file",
                do=did_you_mean(
                    name,
                    (*known, ALL),
                    "Give one of them; docs/extend.md shows how to write a file.",
                ),
            )
    wanted = (
        each for name in names or registry.DEFAULT for each in (known if name == ALL else (name,))
    )
    return [find(name) for name in dict.fromkeys(wanted)]


def request_of(experiment: "Experiment", options: Options) -> "Request":
    """The request for one experiment, in a folder with its name.

    Raises:
        UsageError, ModelError: an option does not fit the experiment or the scenario.
    """
    from experiments.measure.runner import Request

    wanted = _levels(experiment, options)
    overlay = _overlay(wanted, options)
    _assert_possible(wanted, overlay, options)
    repeats = 1 if options.quick else wanted.repeats
    return Request(
        experiment=wanted,
        overlay=overlay,
        repeats=options.repeats or repeats,
        seed=secrets.randbits(32) if options.seed is None else options.seed,
        quick=options.quick,
        lab={"datapath": options.datapath, "app": options.app},
        parent=options.out,
        name=experiment.question.name,
        named_modes=() if options.modes is None else wanted.question.factors["mode"],
    )


def _levels(experiment: "Experiment", options: Options) -> "Experiment":
    """The experiment with the levels of the command line."""
    wanted = experiment.with_levels(**experiment.quick_factors) if options.quick else experiment
    if options.modes is not None:
        wanted = wanted.with_levels(mode=_modes(options.modes, experiment))
    if options.hosts and wanted.hosts_factor:
        wanted = wanted.with_levels(**{wanted.hosts_factor: (options.hosts,)})
    return wanted


def _modes(text: str, experiment: "Experiment") -> tuple[str, ...]:
    """Modes of `overlaylab list`, or levels that only this experiment has, such as `local`."""
    factors = experiment.question.factors
    if "mode" not in factors:
        raise UsageError(
            f"--modes {text}",
            where=f"experiment {experiment.question.name!r}",
            allowed=f"no --modes (its factors: {', '.join(factors) or 'none'})",
            do="Leave --modes out, or name experiments that have modes.",
        )
    known = _known_modes(experiment)
    named = tuple(dict.fromkeys(each.strip() for each in text.split(",")))
    for each in named:
        if each not in known:
            raise UsageError(
                repr(each),
                where="--modes",
                allowed=", ".join(known),
                do=did_you_mean(each, known, "Name modes with a comma between them."),
            )
    return named


def _known_modes(experiment: "Experiment") -> tuple[str, ...]:
    """Every mode, and the levels that only this experiment has."""
    from controller.model.modes import MODES

    own = map(str, experiment.question.factors["mode"])
    return tuple(dict.fromkeys((*map(str, MODES), *own)))


def _overlay(experiment: "Experiment", options: Options) -> "Overlay | Sites":
    """The scenario, reduced to what the experiment measures."""
    from controller.model.enlarge import enlarge
    from controller.model.sites import Sites
    from experiments.cli.scenarios import loaded as load
    from experiments.cli.scenarios import print_mtu_warnings

    scenario = experiment.scenario if options.scenario is None else options.scenario
    loaded = load(scenario)
    if experiment.of is Sites:
        if options.hosts and options.hosts != len(loaded.sites.hosts):
            raise UsageError(
                f"--hosts {options.hosts}",
                where=f"scenario {loaded.sites.name!r}",
                allowed="2: a tunnel between two sites",
                do="Leave --hosts out.",
            )
        sites: Sites = experiment.narrow(loaded.sites)
        return sites
    overlay = loaded.overlay
    print_mtu_warnings(overlay)
    is_enlarged = options.hosts and not experiment.hosts_factor
    try:
        wanted: Overlay = experiment.narrow(
            enlarge(overlay, options.hosts or 0) if is_enlarged else overlay
        )
    except MeasureError as error:
        raise UsageError(
            error.found, where=f"scenario {scenario!r}", allowed=error.allowed, do=error.do
        ) from error
    return wanted


def _assert_possible(
    experiment: "Experiment", overlay: "Overlay | Sites", options: Options
) -> None:
    """Check that every point can be planned, with the number of hosts of the command line."""
    for point in experiment.question.points():
        try:
            staged = experiment.stage(overlay, point)
        except ModelError as error:
            raise _unfit(experiment, overlay, point, error) from error
        _assert_readable(staged)
        if options.hosts and len(staged.hosts) != options.hosts:
            raise UsageError(
                f"--hosts {options.hosts}",
                where=f"experiment {experiment.question.name!r}",
                allowed=f"none: it always measures {len(staged.hosts)} hosts",
                do="Leave --hosts out, or name another experiment.",
            )


def _unfit(
    experiment: "Experiment", overlay: "Overlay | Sites", point: "Point", error: ModelError
) -> UsageError:
    """Why a point cannot be planned, and the modes that can."""
    from experiments.core.question import point_text

    def fits(mode: str) -> bool:
        try:
            experiment.stage(overlay, {**point, "mode": mode})
        except ModelError:
            return False
        return True

    fit = ", ".join(filter(fits, _known_modes(experiment))) if "mode" in point else ""
    first, *_ = str(error).splitlines()  # one mistake has a line for each host or network
    return UsageError(
        f"{point_text(point)}: not with scenario {overlay.name!r} ({first.rstrip('.')})",
        where=f"experiment {experiment.question.name!r}",
        allowed=fit or "modes that fit the scenario",
        do="Name some of these with --modes, or use another scenario.",
    )


def _assert_readable(staged: "Overlay | Sites") -> None:
    """Check that the captures of VXLAN can be read: experiments know its standard port only."""
    from controller.model.agent import VXLAN_PORT
    from controller.model.sites import Sites

    hosts = () if isinstance(staged, Sites) else staged.hosts
    other = next((host for host in hosts if host.agent.vxlan_udp_port != VXLAN_PORT), None)
    if other:
        raise UsageError(
            f"vxlan_udp_port {other.agent.vxlan_udp_port}",
            where=f"host {other.name!r} of overlay {staged.name!r}",
            allowed=f"{VXLAN_PORT} in experiments: their captures and rules are for that port",
            do="Leave it out for `run`; `up`, `flows` and `trace` use any port.",
        )
