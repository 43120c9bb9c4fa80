"""The teller of exact expectations: what is equal, what is not, and by how much."""

import matplotlib as mpl
import pytest

from controller.model.errors import MeasureError
from experiments.core.question import Prediction, Question, integer, text
from experiments.core.results import Recorder, read
from experiments.show.reports import report_on
from experiments.show.sheet import STYLE

QUESTION = Question(
    name="copies",
    question="How many copies?",
    unit="packets",
    value="copies",
    report="cells",
    factors={"mode": ("gre-mesh", "gre-l2pop"), "hosts": (2, 4)},
    columns={"copies": integer("how many")},
    predictions=(
        Prediction(
            claim="one for each other host", reason="head-end replication", excludes=("gre-l2pop",)
        ),
    ),
)
FORETOLD = tuple({**point, "copies": point["hosts"] - 1} for point in QUESTION.points())


@pytest.fixture
def report(tmp_path):
    """The story of a run in which all is as foretold, but for what is said."""

    def report(*, trusted=True, question=QUESTION, predicted=FORETOLD, repeats=2, **wrong):
        recorder = Recorder(tmp_path, "run", question.tables())
        recorder.about(
            {
                "question": question.to_json(),
                "predicted": list(predicted),
                "seed": 1,
                "scenario": "article",
                "verdict": {"trusted": trusted, "reasons": []},
            }
        )
        for repeat in range(1, repeats + 1):
            for order, cell in enumerate(predicted, start=1):
                value = wrong.get(
                    f"{cell['mode']}_{cell['hosts']}".replace("-", "_"), cell.get("copies")
                )
                if value != "missing":
                    recorder.samples([{**cell, "repeat": repeat, "order": order, "copies": value}])
        return report_on(read(recorder.directory))

    return report


def test_all_as_foretold(report):
    found = report()

    assert found.findings == ("4 of 4 cells match their prediction",)
    assert not found.is_refuted
    assert found.tables[0].rows[1] == ("gre-mesh", "4", "3", "3", "-", "2", "equal")
    assert [each["is"] for each in found.data] == ["equal"] * 4
    assert found.tables[0].summary == "all as foretold"
    assert found.conditions == "2 blocks; scenario article"


def test_a_cell_that_differs_is_named_with_by_how_much(report):
    found = report(gre_mesh_4=5)

    assert found.findings == (
        "3 of 4 cells match their prediction",
        "gre-mesh 4: 5 packets, predicted 3",
    )
    assert found.is_refuted
    assert found.tables[0].rows[1] == ("gre-mesh", "4", "3", "5", "+2", "2", "unlike")
    assert found.tables[0].summary == "1 not as foretold"
    lacking = report(gre_mesh_4=5, gre_mesh_2="missing").tables[0]
    assert lacking.summary == "1 not as foretold, 1 not measured"
    assert [each.outcome for each in found.outcomes] == ["refuted"]


def test_an_answer_that_was_lost_is_not_as_foretold(report):
    found = report(gre_mesh_2=None)

    assert found.is_refuted
    assert found.findings[1] == "gre-mesh 2: - packets, predicted 1"
    assert found.pictures == ()


def test_one_block_that_differs_is_enough(report, tmp_path):
    found = report(repeats=2)
    path = next(tmp_path.glob("run*/samples.csv"))
    path.write_text(path.read_text().replace("2,2,gre-mesh,4,3", "2,2,gre-mesh,4,2"))
    found = report(read(path.parent))

    assert found.is_refuted
    assert found.tables[0].rows[1] == ("gre-mesh", "4", "3", "3, 2", "-1", "2", "unlike")


def test_a_prediction_is_judged_by_the_cells_it_is_about(report):
    found = report(gre_l2pop_4=1)

    assert found.is_refuted  # foretold is foretold,
    assert [each.outcome for each in found.outcomes] == [
        "confirmed"
    ]  # but the words spoke of the mesh
    assert found.outcomes[0].found == "2 of 2 cells match their prediction"


@pytest.mark.parametrize(("mesh", "outcome"), [(3, "not judged"), (9, "not judged")])
def test_nothing_is_judged_by_a_run_that_is_not_trusted(report, mesh, outcome):
    assert [each.outcome for each in report(trusted=False, gre_mesh_4=mesh).outcomes] == [outcome]


def test_a_cell_not_measured_decides_nothing(report):
    found = report(gre_mesh_4="missing")

    assert found.findings == ("3 of 3 cells match their prediction (1 more not measured)",)
    assert [each.outcome for each in found.outcomes] == ["undecided"]
    assert not found.is_refuted


def test_words_may_be_foretold_and_only_numbers_are_drawn(report):
    predicted = tuple({**each, "copies": "dropped"} for each in FORETOLD)
    found = report(predicted=predicted, gre_mesh_2="passed")

    assert found.findings[1] == "gre-mesh 2: passed packets, predicted dropped"
    assert found.pictures == ()


def test_many_that_differ_are_counted(report):
    found = report(gre_mesh_2=9, gre_mesh_4=9, gre_l2pop_2=9, gre_l2pop_4=9)

    assert found.findings[0] == "0 of 4 cells match their prediction"
    assert found.findings[-1] == "and 1 cell more"
    assert len(found.findings) == 5


def test_columns_after_the_value_are_further_figures(tmp_path):
    """And those before it, factors or not, say which cell it is."""
    question = Question(
        name="copies",
        question="?",
        unit="packets",
        value="copies",
        factors={"hosts": (2, 4)},
        columns={
            "kind": text("of frame"),
            "copies": integer("sent"),
            "unneeded": integer("not needed"),
        },
        predictions=(),
        report="cells",
    )
    predicted = [
        {"hosts": hosts, "kind": kind, "copies": hosts - 1, "unneeded": 0}
        for hosts in (2, 4)
        for kind in ("known", "unknown")
    ]
    recorder = Recorder(tmp_path, "run", question.tables())
    recorder.about(
        {"question": question.to_json(), "predicted": predicted, "seed": 1, "scenario": "s"}
    )
    recorder.samples([{"repeat": 1, "order": 1, **each} for each in predicted[:-1]])
    recorder.samples([{"repeat": 1, "order": 1, **predicted[-1], "unneeded": 2}])

    found = report(read(recorder.directory))

    assert found.findings == (
        "7 of 8 cells match their prediction",
        "4 unknown wasted: 2 packets, predicted 0",
    )
    assert found.tables[0].heads[:3] == ("hosts", "kind", "figure")
    (ax,) = found.draw().axes
    assert set(lines(ax, "predicted")) == {"foretold 2", "foretold 4"}


def test_a_foretold_row_without_the_value_is_told(report):
    with pytest.raises(MeasureError, match="a foretold row without 'copies'"):
        report(predicted=({"mode": "gre-mesh", "hosts": 2, "copy": 1},), gre_mesh_2="missing")


@pytest.mark.parametrize("predicted", [(), ({"mode": "vlan", "hosts": 2, "copies": 1},)])
def test_without_a_foretold_cell_that_was_measured_there_is_nothing_to_tell(report, predicted):
    with pytest.raises(MeasureError, match="Give the Experiment a `predict`"):
        report(predicted=predicted, vlan_2="missing")


@pytest.fixture
def axes(report):
    def axes(**wrong):
        (picture,) = report(**wrong).pictures
        with mpl.rc_context(fname=STYLE):
            (ax,) = picture.draw().axes
        return ax

    return axes


def lines(ax, kind):
    return {line.get_gid(): line for line in ax.lines if str(line.get_gid()).startswith(kind)}


def test_every_sample_is_a_dot_on_the_ring_of_its_prediction(axes):
    ax = axes(gre_mesh_4=5)

    rings, dots = lines(ax, "predicted"), lines(ax, "samples")
    assert list(rings["foretold gre-mesh"].get_ydata()) == [1, 3]
    assert list(dots["samples gre-mesh"].get_ydata()) == [1, 1, 5, 5]
    x, of_ring = dots["samples gre-mesh"].get_xdata(), rings["foretold gre-mesh"].get_xdata()
    assert len(set(x)) == 4  # equal samples stand side by side,
    assert [sum(x[:2]) / 2, sum(x[2:]) / 2] == pytest.approx(list(of_ring))  # about their ring
    assert rings["foretold gre-mesh"].get_markerfacecolor() == "none"
    assert rings["foretold gre-mesh"].get_linestyle() != rings["foretold gre-l2pop"].get_linestyle()


def test_equal_series_stand_beside_each_other_about_the_true_place(axes):
    ax = axes()

    x = [line.get_xdata()[1] for line in lines(ax, "predicted").values()]
    assert len(set(x)) == 2
    assert sum(x) / 2 == pytest.approx(4)
    assert list(ax.get_xticks()) == [2, 4]


def test_axes_say_what_and_in_which_unit_from_zero(axes):
    ax = axes()

    assert (ax.get_xlabel(), ax.get_ylabel()) == ("hosts", "copies [packets]")
    assert ax.get_ylim()[0] == 0
    assert ax.get_ylim()[1] > 3
    names = [text.get_text() for text in ax.texts if str(text.get_gid()).startswith("name")]
    assert sorted(names) == ["gre-l2pop", "gre-mesh"]


def test_one_factor_of_words_is_drawn_side_by_side(tmp_path):
    question = Question(
        name="one",
        question="?",
        unit="x",
        value="n",
        factors={"mode": ("a", "b")},
        report="cells",
        columns={"n": integer("count")},
        predictions=(),
    )
    recorder = Recorder(tmp_path, "run", question.tables())
    predicted = [{"mode": "a", "n": 1}, {"mode": "b", "n": 2}]
    recorder.about(
        {"question": question.to_json(), "predicted": predicted, "seed": 1, "scenario": "s"}
    )
    recorder.samples([{"repeat": 1, "order": 1, **each} for each in predicted])
    (picture,) = report(read(recorder.directory)).pictures
    (ax,) = picture.draw().axes
    assert [label.get_text() for label in ax.get_xticklabels()] == ["a", "b"]
    assert lines(ax, "swatch") == {}  # there is but one series
