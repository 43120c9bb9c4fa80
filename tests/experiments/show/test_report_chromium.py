"""report.html in a real browser, headless, from disk: nothing from outside, nothing cut off."""

import json
import re
import shutil
import subprocess
from base64 import b64decode
from dataclasses import replace
from urllib.parse import unquote

import pytest

from experiments.core.suite import begin_suite
from experiments.show.pages.chapter import Chapter
from experiments.show.pages.dark import PAPER, contrast
from experiments.show.pages.html import suite_page
from experiments.show.pages.redraw import redraw, redraw_suite
from tests.devtools import QUIET
from tests.experiments.small_run import DOUBTED, small_report, write_run

pytestmark = pytest.mark.smoke

PHONE, DESK = 360, 1440
SCREEN = 900  # the height of a frame
LEAST_CHART_PX = 320  # below it a chart's letters cannot be read
READABLE, VISIBLE = 3, 1.15  # contrast of letters (labels in the colours of modes), and of a grid
DUMPING = (
    *QUIET,
    "--enable-logging=stderr",
    "--dump-dom",
    "--virtual-time-budget=20000",
    "--window-size=1600,900",
)
# Put into a copy of the page: tells the frame around it what a reader would see.
MEASURE = """
<script>
const box = each => each.getBoundingClientRect();
const all = what => [...document.querySelectorAll(what)];
const shown = each => box(each).height > 0 && box(each).top >= 0 && box(each).top < innerHeight;
const linked = location.hash && document.querySelector(location.hash);
const paint = (each, what) => getComputedStyle(each)[what];
const measured = () => {
  const before = {folded: all("details").length, open: all("details[open]").length,
    linked: linked ? shown(linked) : null, first: box(document.querySelector("figure")).bottom};
  scrollTo(0, document.body.scrollHeight);
  const contents = all("nav").filter(each => box(each).height > 0)
    .map(each => shown(each.querySelector("summary, a")));
  scrollTo(0, 0);
  all("details").forEach(each => { each.open = true; });
  const within = each => {
    const scroll = each.closest(".scroll");
    return scroll !== null && box(each).left >= box(scroll).left - 1
      && box(each).right <= box(scroll).left + scroll.scrollWidth + 1
      && box(scroll).left >= 0 && box(scroll).right <= innerWidth
      && getComputedStyle(scroll).overflowX === "auto" && box(scroll).height >= box(each).height;
  };
  const cut = all("h1, h2, h3, h4, p, li, dd, pre, summary, figcaption").filter(each =>
    box(each).width > 0
    && (box(each).right > innerWidth || box(each).left < 0 || each.scrollWidth > each.clientWidth + 1
        && getComputedStyle(each).display !== "inline"));
  const inside = (each, around) => box(each).left >= box(around).left - 1
    && box(each).right <= box(around).right + 1 && box(each).bottom <= box(around).bottom + 1;
  const told = {
    ...before,
    contents,
    wide: innerWidth,
    page: document.documentElement.scrollWidth,
    dark: matchMedia("(prefers-color-scheme: dark)").matches,
    paper: paint(document.body, "backgroundColor"),
    ink: paint(document.body, "color"),
    letters: [...new Set(all("figure use[href^='#l.']").map(each => paint(each, "fill")))],
    lines: [...new Set(all("figure path").map(each => paint(each, "stroke")))],
    requests: performance.getEntriesByType("resource").map(each => each.name),
    charts: all("figure svg").map(each => ({width: Math.round(box(each).width),
      within: inside(each, each.parentElement) && box(each).right <= innerWidth,
      parts: each.querySelectorAll("path").length})),
    tables: all("table").map(each => ({there: box(each).width > 50 && box(each).height > 20,
      within: within(each)})),
    cut: cut.map(each => each.outerHTML.slice(0, 80)),
  };
  parent.postMessage({name: location.pathname.split("/").pop(), told}, "*");
};
addEventListener("load", () => setTimeout(measured, 300));
</script>
</body>"""


# As large as matplotlib draws one, with a line and a letter.
CHART = """<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="374pt"
 height="560pt" viewBox="0 0 374 560"><path d="M 0 0 L 374 560" style="stroke: #222222"/>
 <path d="M 374 0 L 0 560" style="stroke: #e4e6e8"/><g style="fill: #6b7078" transform="scale(0.1 -0.1)">
 <defs><path id="DejaVuSans-13" d="M 0 0 L 9 9"/></defs><use xlink:href="#DejaVuSans-13"/></g>
 <path d="M 0 0 L 9 9"/></svg>"""

# Around all pages of one look, each in a frame as wide as a screen: a window is never below 500.
FRAMES = """<!DOCTYPE html>
<html lang="en"><meta name="color-scheme" content="light dark"><pre id="measured"></pre>
<script>
const all = {};
addEventListener("message", ({data}) => {
  all[data.name] = data.told;
  document.getElementById("measured").textContent = btoa(encodeURIComponent(JSON.stringify(all)));
});
</script>
"""
FRAME = '<iframe src="{}" width="{}" height="{}" style="border: 0"></iframe>\n'

# What may be wrong with a page, put into it, and how it is told.
WRONG = {
    "no chart": (
        '<figure><svg role="img" aria-label="x" width="400"></svg></figure>',
        "an empty chart",
    ),
    "script": (
        '<script src="https://example.org/x.js"></script>',
        "asks for https://example.org/x.js",
    ),
    "style": (
        "<style>body { background: url(https://example.org/x.png) }</style>",
        "asks for https://example.org/x.png",
    ),
    "error": ("<script>undefined.x</script>", "console: "),
    "wide": ('<div style="width: 2000px; height: 3px"></div>', "the page is 2000 wide"),
    "table": (
        '<div style="overflow: hidden"><table><tr><td style="min-width: 999px">x</td></tr></table></div>',
        "a table is cut off",
    ),
    "text": (
        '<p style="overflow: hidden"><span style="display: inline-block; width: 999px">x</span></p>',
        "cut off: <p style",
    ),
    "small": ("<style>figure svg { width: 200px }</style>", "a chart is 200 wide"),
    "large": (
        "<style>figure { overflow: hidden } figure svg { width: 500px }</style>",
        "a chart is cut off",
    ),
    "lost": ("<style>nav { position: static !important }</style>", "the contents are out of reach"),
    "faint": (
        "<style>figure svg use, figure svg g { fill: #ccc !important }</style>",
        "letters of a chart: contrast 1.6",
    ),
    "invisible": (
        "<style>figure svg path { stroke: #fff }</style>",
        "a line of a chart: contrast 1.0",
    ),
}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    directory = write_run(tmp_path_factory.mktemp("page"))
    redraw(directory)
    return (directory / "report.html").read_text()


@pytest.fixture(scope="module")
def suite(tmp_path_factory):
    """One to be trusted, one not, one that was never begun."""
    suite = begin_suite(tmp_path_factory.mktemp("pages"), "suite", ("toll", "mtu", "fanout"))
    write_run(suite.directory, "toll")
    write_run(suite.directory, "mtu", verdict=DOUBTED)
    suite.marked(status="interrupted", start="2026-11-23T01:43:38Z")
    redraw_suite(suite.directory)
    return (suite.directory / "report.html").read_text()


@pytest.fixture(scope="module")
def long():
    """A suite as large as that of all experiments, with long names, findings and charts."""
    finding = "16 hosts, 8 with a member: mesh sends 15 copies, 8 of them to hosts without a member"
    report = replace(small_report(), findings=(finding, finding, "x" * 200, finding))
    about = {"suite": [], "status": "complete", "start": "2026-11-23T01:43:38Z"}
    names = [f"experiment{number}" for number in range(13)]
    chapters = [Chapter(name=each, report=report, folder=f"{each}/") for each in names]
    return suite_page(chapters, {f"{each}/toll": CHART for each in names}, about)


@pytest.fixture(scope="module")
def day(run, suite, long, tmp_path_factory):
    """Every page by day; the browser is started once."""
    wrong = {
        name: (run.replace("</body>", f"{put}</body>"), PHONE) for name, (put, _) in WRONG.items()
    }
    pages = {
        f"{name} {width}": (page, width)
        for name, page in (("run", run), ("suite", suite), ("long", long))
        for width in (PHONE, DESK)
    }
    linked = {f"run {to}": (run, PHONE, to) for to in ("#toll-predictions", "#toll-table-1")}
    return looked_at({**pages, **linked, **wrong}, "light", tmp_path_factory.mktemp("day"))


@pytest.fixture(scope="module")
def night(run, tmp_path_factory):
    pages = {
        "run 1440": (run, DESK),
        "light charts": (
            run.replace("@media screen and (prefers-color-scheme: dark){", "@media tv{"),
            DESK,
        ),
    }
    return looked_at(pages, "dark", tmp_path_factory.mktemp("night"))


def looked_at(pages, scheme, folder):
    """What the browser tells of each page, from disk, under that scheme of colours."""
    frames = FRAMES
    for number, (page, width, *to) in enumerate(pages.values()):
        assert page.count("</body>") == 1
        (folder / f"{number}.html").write_text(page.replace("</body>", MEASURE))
        frames += FRAME.format(f"{number}.html{''.join(to)}", width, SCREEN)
    (folder / "frames.html").write_text(frames)
    done = browsed(folder / "frames.html", scheme)
    found = re.search(r'<pre id="measured">(\S+?)</pre>', done.stdout)
    assert found, done.stderr[-2000:]
    report = json.loads(unquote(b64decode(found.group(1)).decode()))
    console = re.findall(r":CONSOLE[(:].*", done.stderr)
    return {
        name: {
            **report[f"{number}.html"],
            "console": [line for line in console if f"/{number}.html" in line],
        }
        for number, name in enumerate(pages)
    }


def browsed(page, scheme, *more):
    """`make test` installs the browser, so that its absence is a failure."""
    path = shutil.which("chromium")
    if path is None:
        pytest.fail("no chromium: `apt-get install chromium` as root, or `make ready-dev`")
    colours = f"--blink-settings=preferredColorScheme={['dark', 'light'].index(scheme)}"
    profile = f"--user-data-dir={page.parent / 'profile'}"
    argv = (path, *DUMPING, colours, profile, *more, page.as_uri())
    return subprocess.run(argv, capture_output=True, text=True, timeout=90, check=False)


def faults(seen, width):
    """What a reader at a screen of that width would miss, or the network would be asked for."""
    assert seen["wide"] == width, "the browser did not take the width"
    return [
        *(f"console: {line}" for line in seen["console"]),
        *(f"asks for {name}" for name in seen["requests"]),
        *([f"the page is {seen['page']} wide"] if seen["page"] > width else []),
        *(f"cut off: {text}" for text in seen["cut"]),
        *("an empty chart" for each in seen["charts"] if each["parts"] < 3),
        *(
            f"a chart is {each['width']} wide"
            for each in seen["charts"]
            if each["width"] < LEAST_CHART_PX
        ),
        *("a chart is cut off" for each in seen["charts"] if not each["within"]),
        *contrasts("letters of a chart", seen["letters"], seen["paper"], READABLE),
        *contrasts("a line of a chart", seen["lines"], seen["paper"], VISIBLE),
        *(["the contents are out of reach"] if seen["contents"] != [True] else []),
        *("a table is not there" for each in seen["tables"] if not each["there"]),
        *("a table is cut off" for each in seen["tables"] if not each["within"]),
    ]


def contrasts(what, colours, paper, least):
    """The colours that are too close to the page's."""
    for each in colours:
        if each != "none" and (found := contrast(hexed(each), hexed(paper))) < least:
            yield f"{what}: contrast {found:.1f}"


def hexed(colour):
    return "#" + "".join(f"{int(part):02x}" for part in re.findall(r"\d+", colour)[:3])


@pytest.mark.parametrize("width", [PHONE, DESK])
@pytest.mark.parametrize(
    ("page", "charts", "tables"), [("run", 1, 4), ("suite", 2, 8), ("long", 13, 52)]
)
def test_a_page_is_complete(day, page, charts, tables, width):
    seen = day[f"{page} {width}"]

    assert faults(seen, width) == []
    assert len(seen["charts"]) == charts
    assert len(seen["tables"]) >= tables  # levels, limits, settings, environment


def test_the_first_chart_is_on_the_first_two_screens(day):
    assert 300 < day["long 1440"]["first"] < 2 * SCREEN
    assert 300 < day["run 1440"]["first"] < 2 * SCREEN


@pytest.mark.parametrize("to", ["#toll-predictions", "#toll-table-1"])
def test_a_link_into_a_folded_part_opens_it(day, to):
    assert day["run 360"]["open"] == 0
    assert day["run 360"]["folded"] >= 4
    assert day[f"run {to}"]["linked"]
    assert day[f"run {to}"]["open"] == 1


def test_printing_opens_every_folded_part(run, tmp_path):
    closed = run.replace("details::details-content", "details::gone")
    assert closed != run

    assert pages(run, tmp_path) > pages(closed, tmp_path)


def pages(page, folder):
    """The number of pages on paper."""
    (folder / "page.html").write_text(page)
    done = browsed(folder / "page.html", "light", f"--print-to-pdf={folder / 'page.pdf'}")
    found = re.findall(rb"/Type /Page\b", (folder / "page.pdf").read_bytes())
    assert found, done.stderr[-2000:]
    return len(found)


def test_in_dark_mode_page_and_charts_are_dark(day, night):
    by_day, by_night = day["run 1440"], night["run 1440"]

    assert (by_day["dark"], by_night["dark"]) == (False, True)
    assert faults(by_night, DESK) == []
    assert contrast(hexed(by_day["paper"]), hexed(by_day["ink"])) > 12
    assert contrast(hexed(by_night["paper"]), hexed(by_night["ink"])) > 12
    assert hexed(by_night["paper"]) == PAPER
    assert not {*by_day["letters"]} & {*by_night["letters"]}
    assert len(by_day["letters"]) == len(by_night["letters"])


def test_a_chart_that_stays_dark_on_dark_is_detected(night):
    assert any(
        each.startswith("letters of a chart: contrast 1.")
        for each in faults(night["light charts"], DESK)
    )


@pytest.mark.parametrize("wrong", WRONG)
def test_faults_of_a_page_are_detected(day, wrong):
    found = faults(day[wrong], PHONE)

    assert any(each.startswith(WRONG[wrong][1]) for each in found), found
