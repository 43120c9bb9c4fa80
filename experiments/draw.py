"""A run's files in, its figures and report out: no lab, no root, on any laptop."""

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
from experiments.report import Told, conditions, doubt, finding, markdown, verdict_line
from experiments.results import Run, read
from topologies.errors import MeasureError
from topologies.ownership import give_back

STYLE = Path(__file__).with_name("overlaylab.mplstyle")
REPORT = "report.md"
FOOT_WIDTH = 115  # characters
NAME_IN = 0.19  # the least height of the ECDF, for each name beside it
FRAME_IN = 2.2  # what titles, axis labels and the foot take
HEAD_PAD_IN = 0.08
LINE_IN = 1.22 / 72  # of a line of text, for each point of its letters
SMALL = 8  # points
FINDINGS_LARGE = 4
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
        rows, head = len(levels), _head(told)
        heights = [0.78 * rows, max(2.0, NAME_IN * rows)]
        heights += [0.36 * (rows - 1) + 0.25] if has_intervals else []
        height = sum(heights) + FRAME_IN + head.height_in
        figure = Figure(figsize=(WIDTH_IN, height), layout=_layout(1 - head.height_in / height))
        FigureCanvasAgg(figure)
        axes = list(figure.subplots(len(heights), 1, height_ratios=heights))
        _fill(told, levels, axes)
        _write_head(figure, head)
        _write_foot(figure, told)
    return figure


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What stands above the panels: the findings, a line each, and smaller below them a doubt."""

    findings: tuple[str, ...]
    doubt: str

    @property
    def size(self) -> float:
        """Of the findings' letters, in points; many findings have long names in them."""
        return 11.5 if len(self.findings) <= FINDINGS_LARGE else 9.5

    @property
    def findings_in(self) -> float:
        """The height of the findings."""
        return len(self.findings) * self.size * LINE_IN

    @property
    def height_in(self) -> float:
        """The height of all of it, with the space around it."""
        return self.findings_in + (2 * SMALL * LINE_IN if self.doubt else 0) + 2 * HEAD_PAD_IN


def _head(told: Told) -> Head:
    return Head(findings=tuple(finding(told).split("; ")), doubt=doubt(told))


def _layout(top: float) -> ConstrainedLayoutEngine:
    """Room for the panels below `top`; with a w_pad of less, the last tick's label is cut."""
    return ConstrainedLayoutEngine(w_pad=0.08, rect=(0, 0, 1, top))


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
    _title(axes[0], "Every ping", _legend(max(map(len, levels.values()))))
    _title(axes[1], "Share of pings answered within a time (ECDF)")
    if len(axes) > 2:
        _title(axes[2], "Difference of medians, 95% interval", plots.said_beforehand(experiment))
        plots.plot_differences(axes[2], told, palette)


def _legend(blocks: int) -> str:
    """How to read a row of the first panel."""
    lane = "a lane per block" if blocks > 1 else "one block"
    return f"{lane}, black: its median; box: quartiles, whiskers: p10 to p90"


def _title(ax: Axes, bold: str, small: str = "") -> None:
    """A title over its panel, and between the two how to read it."""
    ax.set_title(bold, pad=19 if small else 8)
    if small:
        ax.annotate(
            small,
            (0, 1),
            xycoords="axes fraction",
            xytext=(0, 6),
            textcoords="offset points",
            fontsize=SMALL,
        )


def _write_head(figure: Figure, head: Head) -> None:
    height = float(figure.get_figheight())
    title = figure.suptitle(
        "\n".join(head.findings), x=0.012, y=1 - HEAD_PAD_IN / height, ha="left", va="top",
        fontsize=head.size, fontweight="bold",
    )  # fmt: skip
    title.set_in_layout(False)  # its room is kept already
    if head.doubt:
        below = HEAD_PAD_IN + head.findings_in + SMALL * LINE_IN / 2
        figure.text(
            0.012, 1 - below / height, head.doubt, va="top", fontsize=SMALL + 1, in_layout=False
        )


def _write_foot(figure: Figure, told: Told) -> None:
    below = textwrap.fill(f"Verdict: {verdict_line(told)}", FOOT_WIDTH)
    figure.supxlabel(f"{conditions(told)}\n{below}", x=0.012, ha="left", fontsize=SMALL)


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
