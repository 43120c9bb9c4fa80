"""The charts of `mtu`: every size is a tile, every transfer a dot or a cross."""

import polars as pl
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from experiments.mtu.figure import (
    LOOKS,
    Stream,
    draw_goodput,
    plot_goodput,
    plot_key,
    plot_limits,
    plot_map,
)
from experiments.mtu.report import build_report, tiles
from experiments.mtu.words import DROPPED, RIGHT, SIZES, SOME, TOO_LARGE, WHOLE
from experiments.show.judge import MATCHES, MISMATCH
from experiments.show.report import Caption
from tests.experiments.mtu.test_mtu_report import LIMITS, edited, run_of
from tests.experiments.run_values import with_tables

MODES = ("flat", "gre-mesh")


@pytest.fixture
def ax():
    return Figure().add_subplot()


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return run_of(LIMITS, tmp_path_factory.mktemp("raw"))


def tile(**changes):
    settings = {
        "mode": "flat",
        "underlay_mtu": 1500,
        "guest": TOO_LARGE,
        "size": "limit",
        "is_df": True,
        "ip_bytes": 1500,
        "outcome": WHOLE,
    }
    return {**settings, **changes}


def found(artists, gid):
    return [each for each in artists if each.get_gid() == gid]


def test_a_tile_shows_its_outcome_by_colour_and_by_letter(ax):
    both = [tile(), tile(size="limit + 1", ip_bytes=1501, outcome=DROPPED)]
    plot_map(ax, pl.DataFrame(both), MODES)

    for size, outcome in (("limit", WHOLE), ("limit + 1", DROPPED)):
        (patch,) = found(ax.patches, f"tile flat 1500 too large {size} DF")
        (letter,) = found(ax.texts, f"letter of tile flat 1500 too large {size} DF")
        assert to_hex(patch.get_facecolor()) == LOOKS[outcome][1].lower()
        assert letter.get_text() == LOOKS[outcome][0]
    assert {"1500", "1501"} <= {text.get_text() for text in ax.texts}


def test_no_two_tiles_share_a_place(ax):
    every = [
        tile(mode=mode, guest=guest, size=size, is_df=is_df)
        for mode in MODES
        for guest, sizes in SIZES.items()
        for size in sizes
        for is_df in (True, False)
    ]
    plot_map(ax, pl.DataFrame(every), MODES)

    places = {patch.get_xy() for patch in ax.patches}
    assert len(places) == len(every) == 40
    left, right = sorted(ax.get_xlim())
    assert all(left <= x and x + 0.95 <= right + 1e-9 for x, _ in places)


def test_letters_and_colours_are_unique():
    assert len({letter for letter, _, _ in LOOKS.values()}) == len(LOOKS)
    assert len({ground for _, ground, _ in LOOKS.values()}) == len(LOOKS)


def test_the_key_names_only_outcomes_that_there_are(ax):
    plot_key(ax, (WHOLE, DROPPED))

    words = {text.get_text() for text in ax.texts}
    assert {WHOLE, DROPPED} <= words
    assert not {*LOOKS} - {WHOLE, DROPPED} & words


def test_the_largest_packet_is_shown_with_its_prediction(ax):
    cells = {
        "mode": MODES,
        "underlay_mtu": [1500, 1500],
        "measured": [[1500], [1457]],
        "predicted": [1500, 1458],
        "result": [MATCHES, MISMATCH],
    }
    plot_limits(ax, pl.DataFrame(cells), MODES)

    (equal,), (off,) = (found(ax.texts, f"limit {mode} 1500") for mode in MODES)
    assert (equal.get_text(), equal.get_fontweight()) == ("1500\n= theory", "normal")
    assert (off.get_text(), off.get_fontweight()) == ("1457\ntheory: 1458", "bold")


def test_every_transfer_is_a_dot_or_a_cross(ax):
    stream = Stream(mode="gre-mesh", limit=1458, samples={576: (100.0, 120.0), 1466: (0.0, 0.0)})
    plot_goodput(ax, stream, "#0072B2")

    (dots,) = found(ax.lines, "samples gre-mesh 576")
    (crosses,) = found(ax.lines, "black hole gre-mesh 1466")
    (line,) = found(ax.lines, "medians gre-mesh")
    assert list(dots.get_ydata()) == [100.0, 120.0]
    assert list(crosses.get_ydata()) == [0.0, 0.0]
    assert list(line.get_ydata()) == [110.0, 0.0]
    assert ax.get_ylim()[0] <= 0
    assert "[Mbit/s]" in ax.get_ylabel()
    (text,) = found(ax.texts, "black hole gre-mesh")
    assert text.get_text() == "1466: black hole"


WORDS = Caption(title="gains", footer=("Verdict: trusted",))
STREAMS = tuple(
    Stream(mode=mode, limit=limit, samples={576: (low,), limit: (2 * low,), limit + 8: (0.0,)})
    for mode, limit, low in (
        ("geneve-l2pop", 1450, 300.0),
        ("gre-mesh", 1458, 200.0),
        ("kvxlan-mesh", 1450, 4000.0),
    )
)


def test_every_mode_is_drawn_at_its_own_mtus_over_one_axis():
    """Each is drawn to the byte: GRE's limit right of Geneve's, though its panel is below."""
    figure = draw_goodput(STREAMS, 1500, WORDS)

    assert len({ax.get_xlim() for ax in figure.axes}) == 1
    for ax, each in zip(figure.axes, STREAMS, strict=True):
        for mtu in each.samples:
            drawn = [line for line in ax.lines if line.get_gid().endswith(f"{each.mode} {mtu}")]
            places = [x for line in drawn for x in line.get_xdata()]
            assert places == [mtu] * len(each.samples[mtu])
        (medians,) = found(ax.lines, f"medians {each.mode}")
        assert list(medians.get_xdata()) == list(each.samples)
        (limit,) = found(ax.lines, f"limit {each.mode}")
        assert set(limit.get_xdata()) == {each.limit}
        assert found(ax.texts, f"largest {each.mode}")[0].get_text() == f"largest {each.limit}"
    assert figure.axes[-1].get_xlabel() == "guests' MTU [bytes]"


def test_modes_of_one_data_plane_share_a_scale_and_the_kernel_has_its_own():
    geneve, gre, kernel = draw_goodput(STREAMS, 1500, WORDS).axes

    assert geneve.get_ylim() == gre.get_ylim()
    assert kernel.get_ylim()[1] > 8000
    assert 600 < gre.get_ylim()[1] < 1000
    notes = {text.get_text() for text in geneve.texts}
    assert any("kernel: own scale" in text for text in notes)
    alone = draw_goodput(STREAMS[:2], 1500, WORDS).axes[0]
    assert not any("own scale" in text.get_text() for text in alone.texts)


def test_the_title_of_the_goodput_chart_is_about_goodput_only(run):
    report = build_report(run)
    (head,) = [report.draw(picture).get_suptitle() for picture in report.pictures[1:]]

    assert head.startswith("Median TCP goodput at the limit: ")
    assert head.count(":") == 1


def test_a_run_draws_a_map_and_its_goodput(run):
    report = build_report(run)

    assert [picture.name for picture in report.pictures] == ["mtu", "mtu-goodput"]
    figure = report.draw()
    gids = [patch.get_gid() for ax in figure.axes for patch in ax.patches]
    assert len([gid for gid in gids if gid and gid.startswith("tile")]) == 2 * 2 * (7 + 3)


def test_one_edited_sample_shows_in_the_figure(run):
    rows = run.rows_of("outcomes")
    at = next(n for n, row in enumerate(rows) if row["size"] == "limit + 1")
    changed = edited(run, "outcomes", at, outcome=WHOLE)

    def letters(of):
        return [text.get_text() for ax in build_report(of).draw().axes for text in ax.texts]

    assert letters(changed).count("P") == letters(run).count("P") + 1


def test_repeats_that_differ_are_shown_as_some_pass(run):
    rows = run.rows_of("outcomes")
    row = next(row for row in rows if row["size"] == "limit + 1")
    other = {**row, "repeat": 2, "outcome": WHOLE}
    both = with_tables(run, {**run.tables, "outcomes": (*rows, other)})

    place = {name: row[name] for name in ("mode", "guest", "size")}
    found = tiles(both).filter(**place, is_df=bool(row["df"]))

    assert found["outcome"].to_list() == [SOME]


def test_sizes_with_the_right_mtu_are_on_the_right(ax):
    plot_map(ax, pl.DataFrame([tile(guest=RIGHT, size="limit")]), MODES)

    (patch,) = ax.patches
    assert patch.get_x() > len(SIZES[TOO_LARGE])
