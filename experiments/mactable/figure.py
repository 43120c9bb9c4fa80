"""The chart of `mactable`: entries over guests, and misdelivered copies from a full table.  Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import wrap

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter

from experiments.show.axes import EndLabel, count_axis, end_labels
from experiments.show.marks import measured_line, predicted_line
from experiments.show.palette import FAMILIES, MUTED, colour
from experiments.show.report import Caption
from experiments.show.sheet import LABEL, sheet, title

HIGH_IN = 1.9
NAME_WIDE = 16  # characters of a line of a label
NEAR = 0.09  # of the axis: ticks that are nearer to the one before have no label


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Modes that agree: predicted and measured values by number of guests."""

    name: str
    mode: str  # one of them
    predicted: Sequence[tuple[int, float]]
    measured: Sequence[tuple[int, float]]

    @property
    def colour(self) -> str:
        """Of the family, or of the only mode."""
        return colour(self.name if self.name in FAMILIES else self.mode)


def draw(
    entries: Sequence[Line], misdelivered: Sequence[Line], room: int, caption: Caption
) -> Figure:
    """Two panels: a table without a limit, and a table that fills."""
    drawn = [each for each in (entries, misdelivered) if each]
    figure, axes = sheet(caption, [HIGH_IN] * len(drawn))
    for ax, lines in zip(axes, drawn, strict=True):
        is_full = lines is misdelivered
        heading = (
            f"MAC table of {room:,} entries" if is_full else "MAC table of the underlay's switch"
        )
        title(
            ax, heading, "copies of a frame to other hosts than its receiver's" if is_full else ""
        )
        _plot(ax, lines, "misdelivered per frame" if is_full else "entries in the switch")
        if is_full:
            ax.axvline(room, color=MUTED, linewidth=1, linestyle=(0, (2, 2)), gid="room")
            full = ax.text(room, 0.97, " full", transform=ax.get_xaxis_transform(), va="top")
            full.set(color=MUTED, fontsize=LABEL, gid="full")
    axes[-1].set_xlabel("guests on all hosts together")
    for ax, lines in zip(axes, drawn, strict=True):
        end_labels(
            ax,
            [
                EndLabel(text=_text(each), at=each.measured[-1][1], colour=each.colour)
                for each in lines
            ],
        )
    return figure


def _plot(ax: Axes, lines: Sequence[Line], label: str) -> None:
    for each in lines:
        if each.predicted:
            xs, ys = zip(*each.predicted, strict=True)
            predicted_line(ax, xs, ys, each.name)
        xs, ys = zip(*each.measured, strict=True)
        measured_line(ax, xs, ys, each.colour, each.name)
    values = [value for each in lines for _, value in (*each.predicted, *each.measured)]
    count_axis(ax, max(values), label)
    guests = sorted({at for each in lines for at, _ in each.measured})
    ax.set_xlim(0, guests[-1])
    ticks = [0]
    for at in guests:
        if at - ticks[-1] >= NEAR * guests[-1]:
            ticks.append(at)
    ax.xaxis.set_major_locator(FixedLocator(ticks))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))


def _text(line: Line) -> str:
    last = line.measured[-1][1]
    value = f"{last:,.0f}" if last == round(last) else f"{last:,.1f}"
    return "\n".join(wrap(f"{line.name}: {value}", NAME_WIDE, break_on_hyphens=False))
