"""The chart of levels, and its parts, by their artists."""

import warnings

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.figure import Figure

from experiments.core.question import Prediction, Question, number
from experiments.core.results import Recorder, read
from experiments.show.axes import time_axis
from experiments.show.marks import boxes
from experiments.show.reports import report_on
from experiments.show.sheet import STYLE
from tests.experiments.latency.latency_run import about
from tests.experiments.seen_texts import assert_readable

LEVELS = {
    "flat": [np.array([0.3, 0.4, 0.5]) + repeat / 100 for repeat in range(6)],
    "gre-mesh": [np.array([0.4, 0.5, 2.0]) + repeat / 100 for repeat in range(6)],
}
TRUSTED = {"trusted": True, "reasons": []}


def question(modes):
    return Question(
        name="pings",
        question="",
        unit="ms",
        value="rtt_ms",
        factors={"mode": modes},
        columns={"rtt_ms": number("")},
        baseline={"mode": "flat"},
        margin=0.05,
        predictions=(
            Prediction(low=0.0, high=0.1, claim="", reason="", excludes=("flat", "vlan")),
        ),
    )


@pytest.fixture
def ax():
    return Figure().add_subplot()


@pytest.fixture
def reported(tmp_path):
    """The report of a run of these levels, read from its files."""

    def of_levels(levels=LEVELS, verdict=TRUSTED):
        asked = question(tuple(levels))
        recorder = Recorder(tmp_path, "run", asked.tables())
        recorder.about(about(asked, verdict=verdict))
        recorder.samples(
            {"repeat": nth, "order": 1, "mode": level, "rtt_ms": float(value)}
            for level, repeats in levels.items()
            for nth, repeat in enumerate(repeats, start=1)
            for value in repeat
        )
        return report_on(read(recorder.directory))

    return of_levels


@pytest.fixture
def drawn(reported):
    """The figure of a run of these levels, in the style of reports."""

    def draw(*args):
        with mpl.rc_context(fname=STYLE):
            return reported(*args).draw()

    return draw


def artists(ax, gid):
    return [line for line in ax.lines if line.get_gid() == gid]


def test_the_box_shows_quartiles_and_its_whiskers_p10_and_p90(ax):
    pooled = np.concatenate(LEVELS["flat"])
    boxes(ax, {"flat": pooled}, {"flat": "#7d838b"}, ".2f")

    (box,) = ax.patches
    xs = box.get_path().vertices[:, 0]
    assert (min(xs), max(xs)) == pytest.approx(np.percentile(pooled, [25, 75]))
    ends = {round(float(x), 6) for line in ax.lines for x in line.get_xdata()}
    # matplotlib draws a whisker to the last sample within the percentile.
    low, high = np.percentile(pooled, [10, 90])
    assert round(float(min(pooled[pooled >= low])), 6) in ends
    assert round(float(max(pooled[pooled <= high])), 6) in ends


def test_the_time_axis_is_labelled_with_unit_and_scale(ax):
    time_axis(ax, 0.28, 2.2, "round-trip time [ms]")

    assert ax.get_xlabel() == "round-trip time [ms]"
    assert ax.get_xscale() == "log"
    assert ax.get_xlim() == (0.28, 2.2)
    assert list(ax.get_xticks()) == [0.5, 1, 1.5, 2]


@pytest.mark.parametrize("values", [[0.31, 0.32], [0.044, 0.045], [6.0, 7.0]])
def test_a_narrow_time_axis_has_ticks(ax, values):
    time_axis(ax, *values, "round-trip time [ms]")

    assert len(ax.get_xticks()) >= 2


def test_prediction_and_margin_are_drawn_with_the_intervals(drawn):
    ax = drawn().axes[1]

    (band,) = [patch for patch in ax.patches if patch.get_gid() == "predicted gre-mesh"]
    assert (band.get_x(), band.get_x() + band.get_width()) == pytest.approx((0.0, 0.1))
    assert [line.get_xdata()[0] for line in artists(ax, "margin")] == [-0.05, 0.05]
    (interval,) = artists(ax, "interval gre-mesh")
    assert list(interval.get_xdata()) == pytest.approx([0.1, 0.1])
    assert ax.get_xlabel() == "median minus that of flat [ms]"


def panels(figure):
    return [ax.get_title(loc="left") for ax in figure.axes]


def test_the_figure_has_two_panels_and_the_finding_as_title(drawn):
    figure = drawn()

    assert panels(figure) == ["By level", "Differences of medians"]
    boxes, _ = figure.axes
    (median,) = artists(boxes, "median gre-mesh")
    assert median.get_xdata()[0] == pytest.approx(np.median(np.concatenate(LEVELS["gre-mesh"])))
    assert boxes.get_xlabel() == "rtt [ms]"
    assert (
        figure.get_suptitle().replace("\n", " ")
        == "gre-mesh is higher than flat by 0.100 to 0.100 ms"
    )


def test_without_intervals_there_is_no_panel_of_differences(drawn):
    one = {level: repeats[:1] for level, repeats in LEVELS.items()}

    assert panels(drawn(one)) == ["By level"]


def test_a_figure_of_an_unreliable_run_has_a_warning(drawn):
    figure = drawn(LEVELS, {"trusted": False, "reasons": ["3 pings lost; wanted at most 0"]})

    (warning,) = [text for text in figure.texts if text.get_text().startswith("Unreliable run")]
    (title,) = [text for text in figure.texts if text.get_text() == figure.get_suptitle()]
    (footer,) = [text for text in figure.texts if text.get_gid() == "footer"]
    assert warning.get_fontsize() < title.get_fontsize()
    assert figure.get_suptitle().startswith("gre-mesh is higher")
    assert "Verdict: unreliable: 3 pings lost" in footer.get_text()


def test_a_single_level_can_be_drawn(drawn):
    assert panels(drawn({"flat": LEVELS["flat"]})) == ["By level"]


def test_the_style_has_no_unknown_setting():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = mpl.rc_params_from_file(STYLE, use_default_template=False)

    assert found["svg.hashsalt"] == "overlaylab"


THREE = ("flat", "gre-mesh", "vxlan-l2pop")
NINE = (
    *THREE,
    "vlan",
    "gre-l2pop",
    "vxlan-mesh",
    "vxlan-l2pop-arp",
    "geneve-mesh",
    "geneve-l2pop-arp",
)


LONG = ("flat", "the-overlay-of-the-northern-data-centre-with-mirrors", "gre-mesh")


@pytest.mark.parametrize("trusted", [True, False])
@pytest.mark.parametrize("modes", [THREE, NINE, LONG])
@pytest.mark.parametrize("apart", [0.0, 0.05, 1.0])
def test_no_two_texts_overlap_and_none_is_cut_off(drawn, modes, apart, trusted):
    levels = {
        mode: [repeat + apart * place for repeat in LEVELS["gre-mesh"]]
        for place, mode in enumerate(modes)
    }
    figure = drawn(levels, {"trusted": trusted, "reasons": []})
    assert_readable(figure, at_least=3 * len(modes) + 1)


def test_the_value_of_a_difference_is_in_the_margin(drawn):
    ax = drawn().axes[1]

    (value,) = [text for text in ax.texts if str(text.get_gid()).startswith("value")]
    assert value.get_text() == "+0.10"
    assert value.xy == (1, 0)


def test_the_band_and_the_dashed_lines_are_explained(drawn):
    shown = [text.get_text() for text in drawn().axes[1].texts]

    assert "bar: 95% interval\ngrey: predicted; dashed: margin of ±0.05 ms" in shown


def test_a_level_that_the_prediction_excludes_has_no_band(drawn):
    levels = {**LEVELS, "vlan": LEVELS["gre-mesh"]}

    bands = [patch.get_gid() for patch in drawn(levels).axes[1].patches]
    assert bands == ["predicted gre-mesh"]


def test_no_text_is_cut_off_at_the_figure_s_edge(drawn):
    figure = drawn()
    figure.draw_without_rendering()

    renderer = figure.canvas.get_renderer()
    width, height = figure.canvas.get_width_height()
    titles = [ax.title for ax in figure.axes] + [ax._right_title for ax in figure.axes]
    for text in [*figure.texts, *titles]:
        box = text.get_window_extent(renderer)
        assert box.x0 >= 0
        assert box.x1 <= width
        assert box.y0 >= 0
        assert box.y1 <= height
