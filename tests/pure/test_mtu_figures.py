"""The figures by their artists: every size is a tile, every transfer a dot or a cross."""

from dataclasses import replace

import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from experiments.figures.mtu import (
    LOOKS,
    Limit,
    Stream,
    Tile,
    plot_goodput,
    plot_key,
    plot_limits,
    plot_map,
)
from experiments.figures.sheet import WIDTH_IN
from experiments.mtu_words import RIGHT, SILENT, SIZES, SOME, TOO_LARGE, WHOLE
from experiments.tell.mtu import tell
from experiments.tell.mtu_tables import tiles
from tests.pure.test_mtu_tell import LIMITS, edited, run_of

MODES = ("flat", "gre-mesh")


@pytest.fixture
def ax():
    return Figure().add_subplot()


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return run_of(LIMITS, tmp_path_factory.mktemp("raw"))


def tile(**changes):
    settings = {"mode": "flat", "underlay_mtu": 1500, "guest": TOO_LARGE, "size": "limit",
                "is_df": True, "ip_bytes": 1500, "outcome": WHOLE}  # fmt: skip
    return Tile(**{**settings, **changes})


def found(artists, gid):
    return [each for each in artists if each.get_gid() == gid]


def test_a_tile_tells_by_colour_and_by_letter(ax):
    plot_map(ax, [tile(), tile(size="limit + 1", ip_bytes=1501, outcome=SILENT)], MODES)

    for size, outcome in (("limit", WHOLE), ("limit + 1", SILENT)):
        (patch,) = found(ax.patches, f"tile flat 1500 too large {size} DF")
        (letter,) = found(ax.texts, f"letter flat 1500 too large {size} DF")
        assert to_hex(patch.get_facecolor()) == LOOKS[outcome][1].lower()
        assert letter.get_text() == LOOKS[outcome][0]
    assert {"1500", "1501"} <= {text.get_text() for text in ax.texts}


def test_no_two_tiles_share_a_place(ax):
    every = [
        tile(mode=mode, guest=guest, size=size, is_df=is_df)
        for mode in MODES for guest, sizes in SIZES.items() for size in sizes
        for is_df in (True, False)
    ]  # fmt: skip
    plot_map(ax, every, MODES)

    places = {patch.get_xy() for patch in ax.patches}
    assert len(places) == len(every) == 40
    left, right = sorted(ax.get_xlim())
    assert all(left <= x and x + 0.95 <= right + 1e-9 for x, _ in places)


def test_letters_and_colours_are_told_apart():
    assert len({letter for letter, _, _ in LOOKS.values()}) == len(LOOKS)
    assert len({ground for _, ground, _ in LOOKS.values()}) == len(LOOKS)


def test_the_key_names_what_there_is_and_no_more(ax):
    plot_key(ax, (WHOLE, SILENT))

    words = {text.get_text() for text in ax.texts}
    assert {WHOLE, SILENT} <= words
    assert not {*LOOKS} - {WHOLE, SILENT} & words


def test_a_limit_stands_beside_theory(ax):
    limits = [
        Limit(mode="flat", underlay_mtu=1500, found="1500", foretold="1500"),
        Limit(mode="gre-mesh", underlay_mtu=1500, found="1457", foretold="1458"),
    ]
    plot_limits(ax, limits, MODES)

    (equal,), (off,) = (found(ax.texts, f"limit {mode} 1500") for mode in MODES)
    assert (equal.get_text(), equal.get_fontweight()) == ("1500\n= theory", "normal")
    assert (off.get_text(), off.get_fontweight()) == ("1457\ntheory: 1458", "bold")


def test_every_transfer_is_a_dot_or_a_cross(ax):
    stream = Stream(mode="gre-mesh", limit=1458, samples={576: (100.0, 120.0), 1466: (0.0, 0.0)})
    plot_goodput(ax, [stream])

    (dots,) = found(ax.lines, "samples gre-mesh 576")
    (crosses,) = found(ax.lines, "black hole gre-mesh 1466")
    (line,) = found(ax.lines, "medians gre-mesh")
    assert list(dots.get_ydata()) == [100.0, 120.0]
    assert list(crosses.get_ydata()) == [0.0, 0.0]
    assert list(line.get_ydata()) == [110.0, 0.0]
    assert ax.get_ylim()[0] <= 0
    assert "[Mbit/s]" in ax.get_ylabel()
    assert "[bytes]" in ax.get_xlabel()
    assert found(ax.texts, "black hole")


def test_how_far_a_mode_stands_aside_of_its_mtu_is_said(ax):
    streams = [Stream(mode=mode, limit=1458, samples={576: (1.0,), 1576: (2.0,)})
               for mode in ("flat", "gre-mesh", "vxlan-l2pop")]  # fmt: skip
    plot_goodput(ax, streams)

    (dots,) = found(ax.lines, "samples flat 576")
    assert abs(dots.get_xdata()[0] - 576) == 12
    assert ax.get_xlabel() == "guests' MTU [bytes]; modes side by side, up to 12 aside"


def test_a_run_draws_a_map_and_its_goodput(run):
    pictures = tell(run).pictures

    assert [picture.name for picture in pictures] == ["mtu", "mtu-goodput"]
    figure = pictures[0].draw()
    assert figure.get_figwidth() == WIDTH_IN
    gids = [patch.get_gid() for ax in figure.axes for patch in ax.patches]
    assert len([gid for gid in gids if gid and gid.startswith("tile")]) == 2 * 2 * (7 + 3)


def test_one_edited_sample_shows_in_the_figure(run):
    rows = run.tables["outcomes"]
    at = next(n for n, row in enumerate(rows) if row["size"] == "limit + 1")
    changed = edited(run, "outcomes", at, outcome=WHOLE)

    def letters(of):
        return [text.get_text() for ax in tell(of).pictures[0].draw().axes for text in ax.texts]

    assert letters(changed).count("P") == letters(run).count("P") + 1


def test_blocks_that_differ_are_no_certain_outcome(run):
    rows = run.tables["outcomes"]
    row = next(row for row in rows if row["size"] == "limit + 1")
    other = {**row, "block": 2, "outcome": WHOLE}
    both = replace(run, tables={**run.tables, "outcomes": (*rows, other)})

    (tile,) = [
        each for each in tiles(both)
        if (each.mode, each.guest, each.size, each.is_df)
        == (row["mode"], row["guest"], row["size"], bool(row["df"]))
    ]  # fmt: skip

    assert tile.outcome == SOME


def test_the_right_columns_are_the_limit_s(ax):
    plot_map(ax, [tile(guest=RIGHT, size="limit")], MODES)

    (patch,) = ax.patches
    assert patch.get_x() > len(SIZES[TOO_LARGE])
