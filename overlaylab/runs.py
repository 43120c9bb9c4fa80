"""Measure an experiment from Python."""

from dataclasses import replace
from pathlib import Path

from experiments.cli.doctor import assert_host_ready
from experiments.cli.measure import dated, measured
from experiments.cli.request import Options, experiments_of, request_of
from experiments.show.result import Result, read


def run(  # noqa: PLR0913  the options of the command line, by name
    experiment: str,
    *,
    quick: bool = False,
    scenario: str | None = None,
    modes: str | None = None,
    hosts: int | None = None,
    repeats: int | None = None,
    seed: int | None = None,
    out: str | Path = "results",
) -> Result:
    """Measure one experiment, write its files, and return the run.  Needs root.

    Args:
        experiment: a name of `overlaylab list`, or the path of a .py file with one of your own.
        quick: seconds, one repeat, no confidence intervals.
        modes: such as "gre-mesh,vxlan-l2pop"; the other options are those of `overlaylab run`.
        out: the folder in which the run's folder is made.

    Raises:
        OverlayError: the options, the scenario or this machine does not allow it.
    """
    options = Options(
        scenario=scenario,
        modes=modes,
        hosts=hosts,
        repeats=repeats,
        seed=seed,
        quick=quick,
        out=Path(out),
    )
    (wanted,) = experiments_of((experiment,))
    request = request_of(wanted, options)
    assert_host_ready()
    chapter = measured(replace(request, name=dated(request.name)), request.name)
    return read(chapter.files["directory"])
