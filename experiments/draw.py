"""A run's files in, its figures and report out: no lab, no root, on any laptop."""

import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from experiments import plots
from experiments.analysis import Blocks, summarise
from experiments.experiment import Experiment, Row
from experiments.report import Told, conditions, headline, markdown, verdict_line
from experiments.results import Run, read
from topologies.errors import MeasureError
from topologies.ownership import give_back

STYLE = Path(__file__).with_name("overlaylab.mplstyle")
REPORT = "report.md"
FOOT_WIDTH = 115  # characters
WIDTH_IN = 7.0  # 700 pixels at 100 dpi: the width of a README


def levels_of(rows: Sequence[Row], experiment: Experiment) -> dict[str, Blocks]:
    """The samples that answer the question, by level, block by block.

    Raises:
        MeasureError: pings of several intervals or sizes, which may never be compared.
    """
    warm = [row for row in rows if row["phase"] == "warm"]
    for name in ("interval_ms", "payload_bytes"):
        _assert_alike(name, {row[name] for row in warm})
    (factor,) = experiment.factors
    found: dict[str, dict[object, list[float]]] = {}
    for row in warm:
        samples = found.setdefault(str(row[factor]), {}).setdefault(row["block"], [])
        if (value := row[experiment.value]) is not None:
            samples.append(float(value))
    ordered = sorted(found, key=lambda level: _place(level, experiment))
    return {level: [np.array(block) for block in found[level].values()] for level in ordered}


def lost_of(rows: Sequence[Row], experiment: Experiment) -> dict[str, int]:
    """Warm samples without a value, by level."""
    (factor,) = experiment.factors
    lost: dict[str, int] = {}
    for row in rows:
        if row["phase"] == "warm":
            missing = row[experiment.value] is None
            lost[str(row[factor])] = lost.get(str(row[factor]), 0) + missing
    return lost


def tell(run: Run, experiment: Experiment) -> Told:
    """The run analysed; the bootstrap's seed is the run's own, so that it repeats."""
    (baseline,) = experiment.baseline.values()
    seed = run.about.get("seed")
    summaries = summarise(
        levels_of(run.rows, experiment), lost_of(run.rows, experiment),
        baseline=str(baseline), seed=seed if isinstance(seed, int) else 0,
    )  # fmt: skip
    return Told(experiment=experiment, about=run.about, summaries=summaries)


def redraw(directory: Path, experiment: Experiment) -> tuple[Told, dict[str, str]]:
    """Analyse the files of a run; write its figure and report.md beside them.

    Returns what was found, and the files by kind; `directory` is among them.
    """
    run = read(directory)
    told = tell(run, experiment)
    figure = draw(told, levels_of(run.rows, experiment))
    files = {"directory": directory}
    for kind in ("png", "svg"):
        files[kind] = directory / f"{experiment.name}.{kind}"
        _save(figure, files[kind])
    files["report"] = directory / REPORT
    files["report"].write_text(markdown(told, [f"{experiment.name}.png"]), encoding="utf-8")
    for path in list(files.values())[1:]:
        give_back(path)
    return told, {kind: str(path) for kind, path in files.items()}


def draw(told: Told, levels: Mapping[str, Blocks]) -> Figure:
    """One figure: every sample and its box, the ECDF on the same axis, then the differences."""
    with mpl.rc_context(fname=STYLE):
        has_intervals = any(
            each.to_baseline and each.to_baseline.interval for each in told.summaries
        )
        rows = len(levels)
        heights = [0.78 * rows, 2.0] + ([0.36 * (rows - 1) + 0.25] if has_intervals else [])
        figure = Figure(figsize=(WIDTH_IN, sum(heights) + 2.3), layout=_layout())
        FigureCanvasAgg(figure)
        axes = list(figure.subplots(len(heights), 1, height_ratios=heights))
        _fill(told, levels, axes)
        _frame(figure, told)
    return figure


def _layout() -> ConstrainedLayoutEngine:
    return ConstrainedLayoutEngine(w_pad=0.08)  # inches; with less, the last tick's label is cut


def _save(figure: Figure, path: Path) -> None:
    """Write the figure; the same samples give the same bytes, hence no date inside."""
    with mpl.rc_context(fname=STYLE):
        figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)


def _fill(told: Told, levels: Mapping[str, Blocks], axes: Sequence[Axes]) -> None:
    experiment = told.experiment
    palette = plots.colours(list(levels), str(*experiment.baseline.values()))
    plots.plot_boxes(axes[0], levels, palette)
    plots.plot_ecdf(axes[1], levels, palette)
    for ax in axes[:2]:
        plots.time_axis(ax, levels, experiment.unit)
    axes[0].set_xlabel("")
    axes[0].tick_params(axis="x", labelbottom=False, length=0)
    _title(axes[0], *_legend(max(map(len, levels.values()))))
    _title(axes[1], "Share of pings answered within a time (ECDF)")
    if len(axes) > 2:
        _title(axes[2], "Difference of medians, 95% interval", pad=19)
        plots.plot_differences(axes[2], told, palette)


def _legend(blocks: int) -> tuple[str, str]:
    """What the first panel shows, and how to read its box."""
    lane = "a lane per block" if blocks > 1 else "one block"
    return "Every ping", f"{lane}, black: its median; box: quartiles, whiskers: p10 to p90"


def _title(ax: Axes, bold: str, small: str = "", *, pad: float = 8) -> None:
    ax.set_title(bold, pad=pad)
    ax.set_title(small, loc="right", fontsize=8, fontweight="normal", pad=pad)


def _frame(figure: Figure, told: Told) -> None:
    figure.suptitle(
        headline(told).replace("; ", "\n"), x=0.012, ha="left", fontsize=11.5, fontweight="bold"
    )
    below = textwrap.fill(f"Verdict: {verdict_line(told)}", FOOT_WIDTH)
    figure.supxlabel(f"{conditions(told)}\n{below}", x=0.012, ha="left", fontsize=8)


def _place(level: str, experiment: Experiment) -> tuple[int, str]:
    (known,) = experiment.factors.values()
    return (known.index(level) if level in known else len(known), level)


def _assert_alike(name: str, found: set[object]) -> None:
    if len(found) > 1:
        raise MeasureError(
            f"{name} {', '.join(sorted(map(str, found)))}",
            where="samples.csv",
            allowed="one: round trips at several of them are not comparable",
            do="Take one of them at a time.",
        )
