"""Copies of a frame over the number of hosts, a line for each way of flooding.  Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median_low
from textwrap import wrap

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from experiments.fanout.lines import RESPONDER, Line
from experiments.show.axes import EndLabel, count_axis, end_labels, host_axis
from experiments.show.marks import measured_line, predicted_line
from experiments.show.palette import colours
from experiments.show.report import Caption
from experiments.show.sheet import sheet, title

PANEL_IN = 1.9
UNBROKEN = "\N{NO-BREAK SPACE}"
NAME_WIDE = 16  # characters of a line of a label
COLOUR_OF: Mapping[str, str] = {RESPONDER: "l2pop-arp"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One count on one network."""

    heading: str
    small: str = ""  # how to read it
    label: str  # of the vertical axis
    lines: tuple[Line, ...]


def draw(panels: Sequence[Panel], caption: Caption) -> Figure:
    """The panels below each other, with a common axis of hosts."""
    figure, axes = sheet(caption, [PANEL_IN] * len(panels))
    hosts = {each for panel in panels for line in panel.lines for each in line.measured}
    for ax, panel in zip(axes, panels, strict=True):
        title(ax, panel.heading, panel.small)
        host_axis(ax, hosts, "compute hosts, one VTEP each" if ax is axes[-1] else "")
        count_axis(ax, _most(panel), panel.label)
    for ax, panel in zip(axes, panels, strict=True):
        plot(ax, panel.lines)
    return figure


def plot(ax: Axes, lines: Sequence[Line]) -> None:
    """Predictions, medians of frames as a line with dots, other values as dots; names at the end."""
    keys = [COLOUR_OF.get(line.names[0], line.names[0]) for line in lines]
    known = colours(keys)
    labels = []
    for line, colour in zip(lines, map(known.__getitem__, keys), strict=True):
        name = ", ".join(line.names)
        predicted_line(ax, list(line.predicted), list(line.predicted.values()), name)
        middle = [median_low(values) for values in line.measured.values()]
        measured_line(ax, list(line.measured), middle, colour, name)
        others = [(hosts, each) for hosts, values in line.measured.items() for each in values]
        xs, ys = zip(*others, strict=True)
        ax.scatter(xs, ys, s=14, color=colour, zorder=3, gid=f"values {name}")
        text = "\n".join(
            wrap(f"{name}:{UNBROKEN}{line.end}{_unlike(line)}", NAME_WIDE, break_on_hyphens=False)
        )
        labels.append(EndLabel(text=text, at=middle[-1], colour=colour))
    end_labels(ax, labels)


def _unlike(line: Line) -> str:
    """The prediction at the end of a line, if it was not measured."""
    predicted = line.predicted[line.most_hosts]
    is_match = line.measured[line.most_hosts] == (predicted,)
    return "" if is_match else f" (predicted{UNBROKEN}{predicted})"


def _most(panel: Panel) -> int:
    counts = (line.predicted.values() for line in panel.lines)
    measured = (values for line in panel.lines for values in line.measured.values())
    return max((value for values in (*counts, *measured) for value in values), default=1)
