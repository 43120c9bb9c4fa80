"""The chart `mtu-goodput`: goodput over the guests' MTU, and where it stops.  Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from controller.model.modes import KERNEL
from experiments.show.axes import EndLabel, end_labels
from experiments.show.palette import BAD, colours
from experiments.show.report import Caption
from experiments.show.sheet import LABEL, sheet

HIGH_IN = 2.6
NAME_IN = 0.2  # the height of a name beside the chart
BELOW_ZERO = 0.04  # of the height: space for crosses
STOPPED = "no data arrives "


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """The goodput of one mode: samples by guests' MTU [Mbit/s], and the largest packet [bytes]."""

    mode: str
    limit: int
    samples: Mapping[int, Sequence[float]]

    @property
    def is_kernel(self) -> bool:
        """True if the kernel forwards, which is far faster than a switch in user space."""
        return self.mode.startswith(KERNEL)

    def median(self, mtu: int) -> float:
        """The median goodput with an MTU."""
        return median(self.samples[mtu])

    @property
    def gain(self) -> float:
        """Median at the limit by that at the smallest MTU; 0 if one is zero or not measured."""
        lowest = self.median(min(self.samples))
        return self.median(self.limit) / lowest if self.limit in self.samples and lowest else 0.0


def drawn(streams: Sequence[Stream]) -> tuple[Stream, ...]:
    """The streams of one chart: those of Open vSwitch; the kernel's, if there are no others."""
    return tuple(each for each in streams if not each.is_kernel) or tuple(streams)


def draw_goodput(streams: Sequence[Stream], caption: Caption) -> Figure:
    """Every transfer, the medians as a line, and a cross at each MTU with which no data arrived."""
    high = max(HIGH_IN, NAME_IN * len(streams))
    figure, (ax,) = sheet(caption, [high])
    palette = colours([each.mode for each in streams])
    for each in streams:
        _plot(ax, each, palette[each.mode])
    top = 1.04 * max((max(some) for each in streams for some in each.samples.values()), default=1)
    ax.set_ylim(-BELOW_ZERO * (top or 1), top or 1)
    ax.yaxis.set_major_locator(MaxNLocator(5))
    ax.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    ax.grid(visible=True, axis="y")
    ax.set_xlabel("guests' MTU [bytes]")
    ax.set_ylabel("TCP goodput [Mbit/s]")
    stops = [mtu for each in streams for mtu, some in each.samples.items() if not any(some)]
    if stops:
        ax.text(min(stops), 0.1, STOPPED, transform=ax.get_xaxis_transform(), ha="right").set(
            color=BAD, fontsize=LABEL, gid="stops"
        )
    ends = [
        EndLabel(
            text=each.mode,
            at=each.median(each.limit) if each.limit in each.samples else 0.0,
            colour=palette[each.mode],
        )
        for each in streams
    ]
    end_labels(ax, ends)
    return figure


def _plot(ax: Axes, stream: Stream, colour: str) -> None:
    mode = stream.mode
    for mtu, samples in stream.samples.items():
        alive = [value for value in samples if value > 0]
        dead = [value for value in samples if value <= 0]
        (dots,) = ax.plot([mtu] * len(alive), alive, "o", color=colour, markersize=4, alpha=0.35)
        dots.set(markeredgewidth=0, gid=f"samples {mode} {mtu}")
        (crosses,) = ax.plot([mtu] * len(dead), dead, "x", color=BAD, markersize=7)
        crosses.set(markeredgewidth=2, gid=f"stops {mode} {mtu}")
    mtus = [mtu for mtu in sorted(stream.samples) if stream.median(mtu) > 0]
    medians = [stream.median(mtu) for mtu in mtus]
    ax.plot(mtus, medians, color=colour, linewidth=2, gid=f"medians {mode}")
