"""report.html as text: what it contains, and that it needs no external resource."""

from dataclasses import replace

import pytest

from experiments.show.pages.chapter import LONG, Chapter
from experiments.show.pages.html import page, suite_page
from experiments.show.report import REFUTED, UNDECIDED, Outcome, Table
from tests.experiments.show.page_source import Page
from tests.experiments.small_run import DOUBTED, SVG, small_report

SUITE = {"suite": ["toll", "mtu"], "status": "complete", "start": "2026-11-23T01:43:38Z"}


def of(report):
    return page(Chapter(name=report.name, report=report), {"toll": SVG})


@pytest.fixture
def suite():
    report = small_report()
    chapters = (
        Chapter(name="toll", report=report, folder="toll/"),
        Chapter(name="mtu", report=report, folder="mtu/"),
        Chapter(name="fanout", fault="<b>broken</b>", folder="fanout/"),
    )
    return suite_page(chapters, {"toll/toll": SVG, "mtu/toll": SVG}, SUITE)


@pytest.mark.parametrize("about", [{}, {"verdict": DOUBTED}, {"verdict": None}, {"quick": True}])
def test_a_page_is_valid(about):
    assert Page(of(small_report(**about))).faults == []


def test_the_page_of_a_suite_is_valid(suite):
    assert Page(suite).faults == []


@pytest.mark.parametrize(
    ("put", "fault"),
    [
        ('<script src="x.js"></script>', "a script"),
        (
            '<img src="https://example.org/a.png" alt="a">',
            "<img> leads outside: https://example.org",
        ),
        ('<img src="//example.org/a.png" alt="a">', "<img> leads outside: //example.org/a.png"),
        ('<img src="a.png">', "an image without alternative text"),
        ("<table></table>", "<table> outside a box that scrolls"),
        ("<style>a { background: url(https://example.org/a.png) }</style>", "the style asks"),
        ('<a href="#nowhere">x</a>', "#nowhere leads nowhere"),
        ("<h4>x</h4>", "h4 after h2"),
        ("<h1>x</h1>", "2 h1"),
        ("<p>", "</main> ends p"),
        ("<th>x</th>", "a header without scope"),
        ('<p onclick="x">x</p>', "a script"),
    ],
)
def test_a_fault_of_a_page_is_found(put, fault):
    broken = of(small_report()).replace("</main>", f"{put}</main>")

    assert any(each.startswith(fault) for each in Page(broken).faults)


def test_a_page_has_all_parts_of_a_report():
    text = Page(of(small_report())).text

    for said in (
        "gre-mesh is within ±0.05 ms of flat.",
        "✓ trusted",
        "toll, 23 Nov 2026 What does a tunnel cost? A <fast> & good one, 2 CPUs, Linux 6.1, Open "
        "vSwitch 3.1.0, datapath netdev (in user space), scenario article ✓ trusted",
        "Predictions: 1 confirmed.",
        "Predicted A tunnel adds 0 to 0.1 ms. Reason: It only adds a header.",
        "Measured ✓ confirmed gre-mesh adds 0.02 ms.",
        "a difference under 0.05 ms does not matter: it is less than the jitter.",
        "Every sample",
        "level median lost|late flat 0.448 0 gre-mesh 0.468 1|2 ",
        "6 repeats; scenario article.",
        "A <fast> & good one, 2 CPUs, Linux 6.1, Open vSwitch 3.1.0.",
        "net.ipv4.conf.all.arp_ignore 1",
        "overlaylab report 20261123T014338Z-toll",
        "overlaylab toll --seed 7",
    ):
        assert said in text, said


def test_reasons_of_an_unreliable_run_come_before_the_findings_and_those_before_the_rest():
    text = Page(of(small_report(verdict=DOUBTED))).text

    places = [
        text.index("What does a tunnel cost?"),
        text.index("Reasons: CPU idle 20%"),
        text.index("gre-mesh is within"),
        text.index("This chart as SVG"),
        text.index("Reason: It only adds"),
        text.index("By level In ms. level"),
    ]
    assert places == sorted(places)
    assert "✗ unreliable" in text
    assert "✓ trusted" not in text


@pytest.mark.parametrize(
    ("outcome", "sign"), [(REFUTED, "✗ refuted"), (UNDECIDED, "? undecided"), ("mixed", "± mixed")]
)
def test_an_outcome_has_a_sign_and_a_word(outcome, sign):
    outcomes = Outcome(claim="It adds nothing?", reason="so", outcome=outcome, found="it did")

    assert sign in Page(of(replace(small_report(), outcomes=(outcomes,)))).text


def test_a_quality_check_has_its_limit_and_its_values():
    text = Page(of(small_report())).text

    assert "CPU idle at least 50% 85% 81% drops at most 0 0 0 " in text


def test_charts_are_inside_with_their_size_and_alternative_text():
    charts = [said for tag, said in Page(of(small_report())).tags if said.get("role") == "img"]

    assert [(each["aria-label"], each["width"], each["height"]) for each in charts] == [
        ('Boxes of "rtt"', "672", "336")
    ]


def test_raw_files_are_linked_beside_the_page():
    links = [said["href"] for tag, said in Page(of(small_report())).tags if tag == "a"]
    links = [each for each in links if not each.startswith("#")]

    assert {"run.json", "samples.csv", "raw/", "report.md", "toll.svg", "toll.png"} == set(links)


def test_texts_of_a_run_are_escaped():
    report = replace(small_report(), findings=("<script>alert(1)</script>",))

    assert Page(of(report)).faults == []
    assert "<script>alert(1)</script>." in Page(of(report)).text


def test_a_long_table_is_folded_and_a_short_one_is_not():
    rows = tuple((f"cell{at}", "1") for at in range(LONG + 1))
    long = Table(title="By cell", heads=("cell", "result"), rows=rows, summary="all match")
    short = replace(long, rows=rows[1:])
    whole, report = Page(of(small_report())), replace(small_report(), tables=(long, short))

    found = Page(of(report))

    assert found.faults == []
    folded = [sum(tag == "details" for tag, _ in page.tags) for page in (whole, found)]
    assert folded[1] == folded[0] + 1
    assert f"By cell {LONG + 1} rows, all match cell result cell0 1 " in found.text
    assert f"By cell {LONG} rows" not in found.text


def test_a_suite_begins_with_its_findings_each_with_a_link_to_its_chapter(suite):
    found = Page(suite)
    links = [said["href"] for tag, said in found.tags if tag == "a"]

    contents = ["#top", "#toll", "#mtu", "#fanout"]  # in a bar or at the side
    assert links[:11] == [*contents, *contents, "#toll", "#mtu", "#fanout"]
    assert found.text.count("GRE and VXLAN overlays compared: toll, mtu, fanout, 23 Nov 2026") == 2
    assert "2 of 3 runs trusted; no result: fanout." in found.text
    assert (
        "toll gre-mesh is within ±0.05 ms of flat. mtu gre-mesh is within ±0.05 ms of flat. "
        "fanout no result: <b>broken</b>. toll What does a tunnel cost?"
    ) in found.text
    assert {"toll/run.json", "mtu/raw/", "toll/report.html", "mtu/toll.svg"} <= set(links)
    assert "Predictions: 1 confirmed." in found.text
    assert "No result. <b>broken</b>." in found.text
    assert "incomplete" not in found.text


def test_an_interrupted_suite_is_marked_as_incomplete():
    report = Chapter(name="toll", report=small_report(), folder="toll/")

    found = Page(suite_page((report,), {"toll/toll": SVG}, {**SUITE, "status": "interrupted"}))

    assert "This suite is incomplete: Interrupted." in found.text


def test_a_page_supports_phones_dark_mode_and_print():
    source = of(small_report())

    assert '<meta name="viewport" content="width=device-width, initial-scale=1">' in source
    assert "@media screen and (prefers-color-scheme: dark)" in source
    assert "@media print" in source
