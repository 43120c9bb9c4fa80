"""The Python API without a lab: runs read from their files, scenarios loaded."""

from importlib.resources import files
from pathlib import Path

import polars as pl
import pytest

import overlaylab as ol

REFERENCE = Path(__file__).parents[2] / "results" / "reference"


@pytest.fixture(scope="module")
def fanout():
    return ol.read(REFERENCE / "fanout")


def test_a_table_is_a_frame_with_the_declared_types(fanout):
    table = fanout.table("vteps")

    assert table.schema["hosts"] == pl.Int64
    assert table.schema["mode"] == pl.String
    assert table.height == len((REFERENCE / "fanout/vteps.csv").read_text().splitlines()) - 1


def test_samples_are_the_table_without_a_name(fanout):
    assert fanout.table().equals(fanout.table("samples"))


def test_an_unknown_table_is_an_error_that_lists_the_tables(fanout):
    with pytest.raises(ol.OverlayError, match="table 'vtep'; allowed: samples, vteps, interfaces"):
        fanout.table("vtep")


def test_predictions_are_a_frame_of_claims_and_outcomes(fanout):
    assert fanout.predictions.columns == ["claim", "reason", "outcome", "found"]
    assert set(fanout.predictions["outcome"]) == {"confirmed"}


def test_verdict_and_findings_are_those_of_the_report(fanout):
    assert fanout.verdict == "trusted"
    assert str(fanout).splitlines() == [*fanout.findings, "Verdict: trusted"]


def test_a_figure_is_drawn_by_name_and_the_first_one_by_default(fanout):
    assert len(fanout.figure("fanout").axes) == len(fanout.figure().axes) > 0


def test_an_unknown_figure_is_an_error_that_lists_the_figures(fanout):
    with pytest.raises(ol.OverlayError, match="chart 'fan'; allowed: fanout"):
        fanout.figure("fan")


def test_a_folder_without_a_run_is_an_error(tmp_path):
    with pytest.raises(ol.OverlayError, match=r"run\.json"):
        ol.read(tmp_path)


def test_a_scenario_is_loaded_without_a_lab():
    assert [host.name for host in ol.load("article").hosts] == ["controller", "computer"]


def test_the_package_is_marked_as_typed():
    assert files("overlaylab").joinpath("py.typed").is_file()


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'Lab'"):
        _ = ol.Lab
