"""The charts of `mtu`: the outcome of each size, the limits, and every transfer."""

import matplotlib as mpl
import pytest
from matplotlib.figure import Figure

from experiments.mtu.figure import LOOKS, Limit, Strip, draw_map, pieces, plot_limits, plot_strips
from experiments.mtu.goodput import Stream, draw_goodput, drawn
from experiments.mtu.report import build_report, cells_of
from experiments.mtu.shown import limits_of, strips_of, tiles
from experiments.mtu.words import DROPPED, FRAGMENTED, REFUSED, SOME, WHOLE
from experiments.show.palette import BAD
from experiments.show.report import Caption
from experiments.show.sheet import STYLE, WIDTH_IN
from tests.experiments.mtu.test_mtu_report import LIMITS, edited, run_of
from tests.experiments.run_values import with_tables
from tests.experiments.seen_texts import assert_readable

WORDS = Caption(title="OVS drops 2 of 2", footer=("Verdict: trusted",))
SIZES = (
    (1400, WHOLE),
    (1500, WHOLE),
    (1501, DROPPED),
    (1700, DROPPED),
    (1701, REFUSED),
    (3000, REFUSED),
)


@pytest.fixture
def ax():
    return Figure().add_subplot()


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return run_of(LIMITS, tmp_path_factory.mktemp("raw"))


def found(artists, gid):
    return [each for each in artists if each.get_gid() == gid]


def test_equal_outcomes_in_a_row_are_one_piece_up_to_the_byte():
    assert list(pieces(SIZES, 1800)) == [
        (1399.5, 1500.5, WHOLE),
        (1500.5, 1700.5, DROPPED),
        (1700.5, 1800, REFUSED),
    ]


def test_nothing_is_drawn_between_sizes_of_different_outcome_that_were_not_measured():
    assert list(pieces(((1451, FRAGMENTED), (1500, DROPPED)), 1800)) == [
        (1450.5, 1451.5, FRAGMENTED),
        (1499.5, 1500.5, DROPPED),
    ]


def test_a_strip_shows_each_outcome_by_colour_and_by_a_label(ax):
    strip = Strip(name="flat", limit="1500", outcomes={True: SIZES, False: SIZES})
    plot_strips(ax, [strip], 1700, 1.0)

    for outcome in (WHOLE, DROPPED, REFUSED):
        (piece,) = found(ax.patches, f"piece {outcome} flat DF")
        (label,) = found(ax.texts, f"label {outcome} flat DF")
        assert mpl.colors.same_color(piece.get_facecolor()[:3], LOOKS[outcome][0])
        assert label.get_text() in LOOKS[outcome][2]
    assert found(ax.texts, "name flat")[0].get_text() == "flat: up to 1500 bytes"


def test_an_outcome_without_room_for_its_label_is_in_the_key():
    sizes = ((1350, WHOLE), (1450, WHOLE), (1451, FRAGMENTED), (1500, DROPPED), (1700, DROPPED))
    strip = Strip(name="kernel VXLAN", limit="1450", outcomes={False: sizes})
    figure = draw_map([strip], 1700, [], WORDS)

    keys = {each.get_text() for each in figure.axes[0].texts if each.get_gid().startswith("key")}
    assert keys == {FRAGMENTED}
    assert_readable(figure, at_least=8)


def test_all_outcomes_look_different():
    assert len({(fill, alpha) for fill, alpha, _ in LOOKS.values()}) == len(LOOKS)


def test_a_limit_that_is_not_as_predicted_is_shown_with_the_prediction(ax):
    limits = [
        Limit(name="GRE", largest={1500: ("1457 (predicted 1458)", False), 1600: ("1558", True)})
    ]
    plot_limits(ax, limits, (1500, 1600))

    (off,), (equal,) = (
        found(ax.texts, f"limit GRE {text}") for text, _ in limits[0].largest.values()
    )
    assert (off.get_color(), equal.get_color() == BAD) == (BAD, False)


STREAMS = tuple(
    Stream(mode=mode, limit=limit, samples={576: (low, low), limit: (2 * low,), limit + 8: (0.0,)})
    for mode, limit, low in (
        ("geneve-l2pop", 1450, 300.0),
        ("gre-mesh", 1458, 200.0),
        ("kvxlan-mesh", 1450, 4000.0),
    )
)


def test_every_transfer_is_a_dot_or_a_cross_at_its_own_mtu():
    (ax,) = draw_goodput(STREAMS[:2], WORDS).axes

    for each in STREAMS[:2]:
        for mtu, samples in each.samples.items():
            marks = [
                line
                for line in ax.lines
                if line.get_gid() in {f"samples {each.mode} {mtu}", f"stops {each.mode} {mtu}"}
            ]
            places = [xy for line in marks for xy in zip(*line.get_data(), strict=True)]
            assert places == [(mtu, value) for value in samples]
        (medians,) = found(ax.lines, f"medians {each.mode}")
        assert list(medians.get_xdata()) == [576, each.limit], "the line ends where traffic stops"
    assert ax.get_xlabel() == "guests' MTU [bytes]"
    assert "[Mbit/s]" in ax.get_ylabel()
    assert found(ax.texts, "stops")


def test_the_kernel_is_not_drawn_on_the_scale_of_open_vswitch_but_alone_it_is():
    assert [each.mode for each in drawn(STREAMS)] == ["geneve-l2pop", "gre-mesh"]
    assert [each.mode for each in drawn(STREAMS[2:])] == ["kvxlan-mesh"]


@pytest.mark.parametrize("many", [1, 2, 14])
def test_names_beside_the_goodput_chart_do_not_overlap(many):
    streams = [
        Stream(mode=f"vxlan-l2pop-arp{nth}", limit=1450, samples={576: (1.0,), 1450: (2.0,)})
        for nth in range(many)
    ]
    with mpl.rc_context(fname=STYLE):
        assert_readable(draw_goodput(streams, WORDS), at_least=many)


def test_a_run_draws_a_map_and_its_goodput(run):
    report = build_report(run)

    assert [picture.name for picture in report.pictures] == ["mtu", "mtu-goodput"]
    assert (
        report.pictures[0].title
        == "Above 1500 (flat), 1458 (GRE) bytes, OVS drops packets without ICMP"
    )
    assert report.pictures[1].title.startswith("TCP goodput rises 2.5 to 2.6 times ")
    with mpl.rc_context(fname=STYLE):
        for picture in report.pictures:
            figure = report.draw(picture)
            assert figure.get_figwidth() == WIDTH_IN
            assert_readable(figure, at_least=8)


def test_one_edited_sample_shows_in_the_figure(run):
    rows = run.rows_of("outcomes")
    at = next(n for n, row in enumerate(rows) if row["size"] == "limit + 1" and row["df"])
    changed = edited(run, "outcomes", at, outcome=WHOLE)

    def passes_to(of):
        strips = {each.name: each for each in strips_of(of, cells_of(of))}
        *_, last = (size for size, outcome in strips["flat"].outcomes[True] if outcome == WHOLE)
        return last

    assert (passes_to(run), passes_to(changed)) == (1500, 1501)


def test_modes_with_equal_outcomes_share_strips_and_a_row_of_limits(run):
    def as_geneve(rows):
        gre = [row for row in rows if row["mode"] == "gre-mesh"]
        return (*rows, *({**row, "mode": "geneve-mesh"} for row in gre))

    tables = {name: as_geneve(run.rows_of(name)) for name in run.tables}
    predicted = as_geneve(run.about["predicted"])
    both = with_tables(run, tables, about={**run.about, "predicted": predicted})
    cells = cells_of(both)

    assert [each.name for each in strips_of(both, cells)] == ["flat", "GRE and Geneve"]
    assert [each.name for each in limits_of(cells)] == ["flat", "GRE and Geneve"]
    off = edited(both, "samples", 1, largest_bytes=1457)
    limits = limits_of(cells_of(off))
    assert [each.name for each in limits] == ["flat", "GRE", "Geneve"]
    assert limits[1].largest == {1500: ("1457 (predicted 1458)", False)}


def test_repeats_that_differ_are_shown_as_some_pass(run):
    rows = run.rows_of("outcomes")
    row = next(row for row in rows if row["size"] == "limit + 1")
    other = {**row, "repeat": 2, "outcome": WHOLE}
    both = with_tables(run, {**run.tables, "outcomes": (*rows, other)})

    place = {name: row[name] for name in ("mode", "guest", "size")}
    found = tiles(both).filter(**place, is_df=bool(row["df"]))

    assert found["outcome"].to_list() == [SOME]
