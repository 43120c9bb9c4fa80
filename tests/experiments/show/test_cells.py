"""The report of exact predictions: what matches, what does not, and by how much."""

from dataclasses import replace

import matplotlib as mpl
import pytest

from controller.model.errors import MeasureError
from experiments.core.question import Prediction, Question, integer, text
from experiments.core.results import Recorder, read
from experiments.show.report import Caption
from experiments.show.reports import report_on
from experiments.show.series import Series, draw, merged
from experiments.show.sheet import STYLE
from tests.experiments.seen_texts import assert_readable

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
PREDICTED = tuple({**point, "copies": point["hosts"] - 1} for point in QUESTION.points())


@pytest.fixture
def reported(tmp_path):
    """The report of a run in which all cells match, except those given."""

    def reported(*, trusted=True, question=QUESTION, predicted=PREDICTED, repeats=2, **wrong):
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

    return reported


def test_all_cells_match(reported):
    found = reported()

    assert found.findings == ("4 of 4 cells match their prediction",)
    assert not found.is_refuted
    assert found.tables[0].rows[1] == ("gre-mesh", "4", "3", "3", "-", "2", "matches")
    assert [each["result"] for each in found.data] == ["matches"] * 4
    assert found.tables[0].summary == "all match"
    assert found.conditions == "2 repeats; scenario article"


def test_a_mismatch_is_named_with_its_difference(reported):
    found = reported(gre_mesh_4=5)

    assert found.findings == (
        "3 of 4 cells match their prediction",
        "gre-mesh 4: 5 packets, predicted 3",
    )
    assert found.is_refuted
    assert found.tables[0].rows[1] == ("gre-mesh", "4", "3", "5", "+2", "2", "mismatch")
    assert found.tables[0].summary == "1 mismatch"
    lacking = reported(gre_mesh_4=5, gre_mesh_2="missing").tables[0]
    assert lacking.summary == "1 mismatch, 1 not measured"
    assert [each.outcome for each in found.outcomes] == ["refuted"]


def test_a_lost_value_is_a_mismatch(reported):
    found = reported(gre_mesh_2=None)

    assert found.is_refuted
    assert found.findings[1] == "gre-mesh 2: - packets, predicted 1"
    assert found.pictures == ()


def test_a_mismatch_in_one_repeat_is_a_mismatch(reported, tmp_path):
    found = reported(repeats=2)
    path = next(tmp_path.glob("run*/samples.csv"))
    path.write_text(path.read_text().replace("2,2,gre-mesh,4,3", "2,2,gre-mesh,4,2"))
    found = report_on(read(path.parent))

    assert found.is_refuted
    assert found.tables[0].rows[1] == ("gre-mesh", "4", "3", "3, 2", "-1", "2", "mismatch")


def test_a_prediction_is_judged_by_the_cells_it_is_about(reported):
    found = reported(gre_l2pop_4=1)

    assert found.is_refuted
    # The prediction in words is about the mesh only.
    assert [each.outcome for each in found.outcomes] == ["confirmed"]
    assert found.outcomes[0].found == "2 of 2 cells match their prediction"


@pytest.mark.parametrize(("mesh", "outcome"), [(3, "not judged"), (9, "not judged")])
def test_an_unreliable_run_judges_nothing(reported, mesh, outcome):
    assert [each.outcome for each in reported(trusted=False, gre_mesh_4=mesh).outcomes] == [outcome]


def test_a_prediction_with_an_unmeasured_cell_is_undecided(reported):
    found = reported(gre_mesh_4="missing")

    assert found.findings == ("3 of 3 cells match their prediction (1 more not measured)",)
    assert [each.outcome for each in found.outcomes] == ["undecided"]
    assert not found.is_refuted


def test_texts_can_be_predicted_but_are_not_drawn(reported):
    predicted = tuple({**each, "copies": "dropped"} for each in PREDICTED)
    question = replace(QUESTION, columns={"copies": text("what becomes of it")})
    found = reported(question=question, predicted=predicted, gre_mesh_2="passed")

    assert found.findings[1] == "gre-mesh 2: passed packets, predicted dropped"
    assert found.pictures == ()


def test_only_three_mismatches_are_named(reported):
    found = reported(gre_mesh_2=9, gre_mesh_4=9, gre_l2pop_2=9, gre_l2pop_4=9)

    assert found.findings[0] == "0 of 4 cells match their prediction"
    assert found.findings[-1] == "and 1 more cell"
    assert len(found.findings) == 5


def test_columns_before_the_value_are_keys_and_those_after_it_are_figures(tmp_path):
    question = Question(
        name="copies",
        question="?",
        unit="packets",
        value="copies",
        factors={"hosts": (2, 4)},
        columns={
            "kind": text("of frame"),
            "copies": integer("sent"),
            "unneeded": integer("to hosts without a member"),
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

    found = report_on(read(recorder.directory))

    assert found.findings == (
        "7 of 8 cells match their prediction",
        "4 unknown unneeded: 2 packets, predicted 0",
    )
    assert found.tables[0].heads[:3] == ("hosts", "kind", "figure")
    (ax,) = found.draw().axes
    assert set(lines(ax, "predicted")) == {"predicted 2", "predicted 4"}


def test_a_predicted_row_without_the_value_is_an_error(reported):
    with pytest.raises(MeasureError, match="a predicted row without 'copies'"):
        reported(predicted=({"mode": "gre-mesh", "hosts": 2, "copy": 1},), gre_mesh_2="missing")


@pytest.mark.parametrize("predicted", [(), ({"mode": "vlan", "hosts": 2, "copies": 1},)])
def test_a_run_without_a_measured_prediction_is_an_error(reported, predicted):
    with pytest.raises(MeasureError, match="Give the Experiment a `predict`"):
        reported(predicted=predicted, vlan_2="missing")


@pytest.fixture
def axes(reported):
    def axes(**wrong):
        with mpl.rc_context(fname=STYLE):
            (ax,) = reported(**wrong).draw().axes
        return ax

    return axes


def lines(ax, kind):
    return {line.get_gid(): line for line in ax.lines if str(line.get_gid()).startswith(kind)}


def test_predictions_are_a_line_behind_the_measured_one_and_every_sample_is_a_dot(axes):
    ax = axes(gre_mesh_4=5)

    predicted, dots = lines(ax, "predicted"), lines(ax, "samples")
    assert list(predicted["predicted gre-mesh"].get_ydata()) == [1, 3]
    assert list(lines(ax, "measured")["measured gre-mesh"].get_ydata()) == [1, 5]
    assert list(dots["samples gre-mesh"].get_xdata()) == [2, 2, 4, 4]
    assert list(dots["samples gre-mesh"].get_ydata()) == [1, 1, 5, 5]
    assert predicted["predicted gre-mesh"].get_zorder() < dots["samples gre-mesh"].get_zorder()
    names = [text.get_text() for text in ax.texts if str(text.get_gid()).startswith("label")]
    assert sorted(names) == ["gre-l2pop", "gre-mesh"]


def test_equal_series_are_one_line_with_both_names(axes):
    ax = axes()

    assert set(lines(ax, "measured")) == {"measured gre-mesh, gre-l2pop"}
    assert list(ax.get_xticks()) == [2, 4]


def test_axes_have_names_and_units_and_start_at_zero(axes):
    ax = axes()

    assert (ax.get_xlabel(), ax.get_ylabel()) == ("hosts", "copies [packets]")
    assert ax.get_ylim()[0] == 0
    assert ax.get_ylim()[1] > 3
    (label,) = [text for text in ax.texts if str(text.get_gid()).startswith("label")]
    assert label.get_text() == "gre-mesh,\ngre-l2pop"


def test_levels_that_are_texts_are_drawn_side_by_side(tmp_path):
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
    (ax,) = report_on(read(recorder.directory)).draw().axes
    assert [label.get_text() for label in ax.get_xticklabels()] == ["a", "b"]
    assert not [text for text in ax.texts if str(text.get_gid()).startswith("label")], "one series"


LONG = [f"a-scenario-of-my-own-with-a-long-name-{nth}" for nth in range(9)]


@pytest.mark.parametrize("modes", [LONG[:1], LONG, ["gre-mesh", "vxlan-mesh"]])
@pytest.mark.parametrize("places", [(2,), (2, 4, 8, 16), ("half of the hosts", "all of the hosts")])
@pytest.mark.parametrize("more", [0, 1, 7])
def test_any_series_are_readable(modes, places, more):
    series = [
        Series(
            names=(mode,),
            mode=mode,
            predicted=dict.fromkeys(places, 3.0 + more * nth),
            measured=dict.fromkeys(places, (3.0, 4.0 + more * nth)),
        )
        for nth, mode in enumerate(modes)
    ]
    caption = Caption(title="9 of 9 cells match", footer=("Verdict: trusted.",))
    with mpl.rc_context(fname=STYLE):
        assert_readable(draw(merged(series), "hosts", "copies", caption), at_least=5)
