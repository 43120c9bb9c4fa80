"""What charts are made of: axes with plain numbers, labels at line ends, boxes, bars, words."""

import matplotlib as mpl
import numpy as np
import pytest

from experiments.show import axes, marks
from experiments.show.axes import EndLabel, spread
from experiments.show.marks import Part, WordCell
from experiments.show.report import Caption
from experiments.show.sheet import STYLE, WIDTH_IN, sheet, title_lines
from tests.experiments.seen_texts import assert_readable


@pytest.fixture
def panel():
    with mpl.rc_context(fname=STYLE):
        figure, (ax,) = sheet(Caption(title="mesh sends 15 copies", footer=("3 labs.",)), [1.6])
        yield ax
        assert_readable(figure, at_least=3)


def seen(ax):
    return [text.get_text() for text in ax.texts if text.get_visible()]


def test_a_host_axis_has_plain_numbers_at_equal_distances(panel):
    axes.host_axis(panel, (16, 2, 8, 4, 2))

    assert [text.get_text() for text in panel.get_xticklabels()] == ["2", "4", "8", "16"]
    at = panel.transData.transform([(x, 0) for x in (2, 4, 8, 16)])[:, 0]
    assert np.allclose(np.diff(at), at[1] - at[0])
    assert panel.get_xlabel() == "compute hosts"


def test_one_host_count_is_one_tick(panel):
    axes.host_axis(panel, (4,))

    assert [text.get_text() for text in panel.get_xticklabels()] == ["4"]


@pytest.mark.parametrize("most", [0, 1, 15, 40_000])
def test_a_count_axis_begins_at_zero_and_has_whole_numbers(panel, most):
    axes.count_axis(panel, most, "copies")

    low, high = panel.get_ylim()
    assert low == 0
    assert high > most
    assert all(value.is_integer() for value in panel.get_yticks())


@pytest.mark.parametrize("ends", [(15, 7, 1, 0), (0, 0, 0, 0), (15, 15, 15, 14), (15, 14.8, 0, 0)])
def test_labels_of_lines_with_near_ends_are_apart_and_in_their_order(panel, ends):
    axes.host_axis(panel, (2, 16))
    axes.count_axis(panel, 15, "copies")
    axes.end_labels(
        panel,
        [EndLabel(text=f"line {nth}\nhas two", at=at) for nth, at in enumerate(ends)],
    )  # that none overlaps is checked by the fixture

    assert seen(panel) == [f"line {nth}\nhas two" for nth in range(4)]


def test_a_label_alone_is_at_the_end_of_its_line(panel):
    axes.count_axis(panel, 15, "copies")
    axes.end_labels(panel, [EndLabel(text="mesh", at=7)])

    (label,) = panel.texts
    box = label.get_window_extent()
    assert panel.transData.inverted().transform((0, (box.y0 + box.y1) / 2))[1] == pytest.approx(
        7, abs=0.3
    )


@pytest.mark.parametrize(
    ("wanted", "sizes"),
    [
        ([1, 0.5, 0], [0.2, 0.2, 0.2]),
        ([0.1, 0.06, 0.0], [0.2, 0.2, 0.2]),
        ([1, 1, 1], [0.1, 0.3, 0.1]),
        ([0.5, 0.5, 0.5], [0.3, 0.3, 0.3]),
        ([0.0], [0.2]),
    ],
)
def test_names_do_not_overlap_and_are_not_below_the_axis(wanted, sizes):
    tops = spread(wanted, sizes)

    bottoms = [top - size for top, size in zip(tops, sizes, strict=True)]
    assert max(tops) <= 1
    assert min(bottoms) >= -1e-9
    assert all(low >= top - 1e-9 for low, top in zip(bottoms, tops[1:], strict=False))


def test_a_box_has_its_median_in_the_margin(panel):
    marks.boxes(
        panel,
        {"flat": np.array([1.0, 2, 3]), "gre-mesh": np.array([4.0, 5, 9])},
        {"flat": "#7d838b", "gre-mesh": "#1c6cae"},
        ".2f",
    )

    assert seen(panel) == ["2.00", "5.00"]
    assert panel.get_ylim()[0] > panel.get_ylim()[1]  # the first row is on top
    assert all(text.get_position()[0] > 0 for text in panel.texts)


def test_a_text_is_inside_its_part_of_a_bar_only_if_it_fits(panel):
    panel.set_xlim(0, 100)
    marks.stacked_bars(
        panel,
        {
            "gre-mesh": (
                Part(name="switches", value=85, colour="#2277bb", text="switches 85 µs"),
                Part(name="wire", value=3, colour="#c8641e", text="wire 3 µs"),
            )
        },
    )

    assert seen(panel) == ["switches 85 µs"]
    lefts = {bar.get_gid(): (bar.get_x(), bar.get_width()) for bar in panel.patches}
    assert lefts == {"part switches 0": (0, 85), "part wire 0": (85, 3)}


def test_a_grid_has_a_word_in_each_cell_that_there_is(panel):
    cells = {
        ("gre", "0"): WordCell(word="one path", small="100%"),
        ("vxlan", "1"): WordCell(word="spreads", colour="#1d8a5f"),
    }
    marks.word_grid(panel, ("gre", "vxlan"), ("0", "1"), cells)

    assert seen(panel) == ["one path", "100%", "spreads"]
    assert [text.get_text() for text in panel.get_xticklabels()] == ["0", "1"]


def test_the_lines_of_a_title_are_about_equal():
    first, second = title_lines("13 of 32 cells match their prediction exactly (64 frames)")

    assert abs(len(first) - len(second)) < 8
    assert len(title_lines("85% of a ping is spent in the switches")) == 1


def test_a_prediction_at_one_place_alone_is_seen(panel):
    axes.count_axis(panel, 5, "copies")
    marks.predicted_line(panel, [4], [3], "mesh")
    before = panel.get_figure().canvas.buffer_rgba
    panel.get_figure().canvas.draw()
    drawn = np.asarray(before()).copy()
    panel.lines[0].set_visible(False)
    panel.get_figure().canvas.draw()

    assert np.any(np.asarray(before()) != drawn)


@pytest.mark.parametrize("many", [1, 2, 3, 5])
def test_a_title_of_any_length_is_above_the_panel(many):
    with mpl.rc_context(fname=STYLE):
        caption = Caption(
            title="a mesh sends a copy to each of the hosts " * many + "x" * 80,
            footer=("one line", "another " * 30),
            warning="Unreliable run; reasons below",
        )
        figure, (ax,) = sheet(caption, [1.0])
        ax.set_xlabel("compute hosts")
        assert_readable(figure, at_least=4)
        assert figure.get_figwidth() == WIDTH_IN
        assert ax.bbox.height > 0.7 * figure.dpi  # one inch was asked for
    assert len(title_lines("x" * 200)) > 2
