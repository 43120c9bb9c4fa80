"""The chart of a ping's stages in `latency`: where its time goes.  Pure."""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from experiments.show.axes import row_values
from experiments.show.marks import Part, stacked_bars
from experiments.show.palette import FAMILIES, INK, OTHERS, OVS, UNTUNNELLED
from experiments.show.report import Caption
from experiments.show.sheet import LABEL, sheet, title
from experiments.show.statistics import Samples

Stages = Mapping[tuple[str, str], Samples]  # [us] by direction and stage, in order of time

ROW_IN = 0.5
SWITCHES, GUESTS, WIRE, REST = "switches", "guests", "wire", "not captured"
PARTS: Mapping[str, tuple[str, ...]] = {
    SWITCHES: ("switch", "far-switch"),
    GUESTS: ("guest-out", "guest-in", "answer"),
    WIRE: ("wire",),
}
COLOURS = {
    SWITCHES: FAMILIES[OVS],
    GUESTS: OTHERS[1],
    WIRE: OTHERS[2],
    REST: FAMILIES[UNTUNNELLED],
}


def parts_us(stages: Stages, rtt_us: float) -> dict[str, float]:
    """The medians of the stages by part; the rest of the round trip is not captured."""
    parts = {
        name: float(sum(np.median(us) for (_, stage), us in stages.items() if stage in those))
        for name, those in PARTS.items()
    }
    return {**parts, REST: max(0.0, rtt_us - sum(parts.values()))}


def draw_stages(levels: Mapping[str, tuple[Stages, float]], caption: Caption) -> Figure:
    """A stacked bar for each level, from its stages and its median round trip [us]."""
    figure, (ax,) = sheet(caption, [ROW_IN * len(levels)], frame_in=1.15)
    parts = {level: parts_us(*each) for level, each in levels.items()}
    totals = {level: sum(each.values()) for level, each in parts.items()}
    ax.set_xlim(0, max(totals.values()) * 1.02)
    ax.set_xlabel("median round trip of a warm ping [µs]")
    ax.grid(visible=True, axis="x")
    row_values(ax, {at: (f"{each:.0f} µs", INK) for at, each in enumerate(totals.values())})
    title(ax, "Median ping by mode", " ")  # the legend is in place of the space
    handles = [Patch(color=colour, label=name) for name, colour in COLOURS.items()]
    legend = ax.legend(
        handles=handles,
        loc="lower left",
        bbox_to_anchor=(0, 1),
        ncols=len(handles),
        fontsize=LABEL,
        handlelength=0.8,
        handletextpad=0.4,
        columnspacing=1.0,
        borderpad=0,
        borderaxespad=0.2,
    )
    legend.set_in_layout(False)
    stacked_bars(
        ax,
        {
            level: [
                Part(
                    name=name,
                    value=us,
                    colour=COLOURS[name],
                    text=f"{name} {us:.0f} µs" if name == SWITCHES else "",
                )
                for name, us in each.items()
            ]
            for level, each in parts.items()
        },
    )
    return figure
