"""report.html in a real browser, headless, from disk: nothing from outside, nothing cut off."""

import json
import re
import shutil
import subprocess
from base64 import b64decode
from urllib.parse import unquote

import pytest

from experiments.core.suite import begin_suite
from experiments.show.pages.redraw import redraw, redraw_suite
from tests.experiments.small_run import DOUBTED, write_run

pytestmark = pytest.mark.smoke

PHONE, DESK = 360, 1440
LEAST_FIGURE_PX = 600  # below it a figure's letters cannot be read
QUIET = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--enable-logging=stderr",
    "--dump-dom",
    "--virtual-time-budget=20000",
    "--window-size=1600,900",
    # Whatever is asked for outside ends on this machine, by name or by address.
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--proxy-server=127.0.0.1:9",
)
# Put into a copy of the page: tells the frame around it what a reader would see.
MEASURE = """
<script>
addEventListener("load", () => {
  document.querySelectorAll("details").forEach(each => { each.open = true; });
  const box = each => each.getBoundingClientRect();
  const within = each => {
    const scroll = each.closest(".scroll");
    return scroll !== null && box(each).left >= box(scroll).left - 1
      && box(each).right <= box(scroll).left + scroll.scrollWidth + 1
      && box(scroll).left >= 0 && box(scroll).right <= innerWidth
      && getComputedStyle(scroll).overflowX === "auto" && box(scroll).height >= box(each).height;
  };
  const texts = [...document.querySelectorAll("h1, h2, h3, h4, p, li, pre, summary, figcaption")];
  const cut = texts.filter(each => box(each).width > 0
    && (box(each).right > innerWidth || box(each).left < 0 || each.scrollWidth > each.clientWidth + 1
        && getComputedStyle(each).display !== "inline"));
  const images = [...document.images], tables = [...document.querySelectorAll("table")];
  const told = {
    wide: innerWidth,
    page: document.documentElement.scrollWidth,
    dark: matchMedia("(prefers-color-scheme: dark)").matches,
    paper: getComputedStyle(document.body).backgroundColor,
    ink: getComputedStyle(document.body).color,
    filter: images.map(each => getComputedStyle(each).filter),
    requests: performance.getEntriesByType("resource").map(each => each.name),
    images: images.map(each => ({there: each.complete && each.naturalWidth > 0,
      width: Math.round(box(each).width), within: within(each)})),
    tables: tables.map(each => ({there: box(each).width > 50 && box(each).height > 20,
      within: within(each)})),
    cut: cut.map(each => each.outerHTML.slice(0, 80)),
  };
  parent.postMessage({name: location.pathname.split("/").pop(), told}, "*");
});
</script>
</body>"""


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
FRAME = '<iframe src="{}" width="{}" height="900" style="border: 0"></iframe>\n'

# What may be wrong with a page, put into it, and how it is told.
WRONG = {
    "no image": (
        '<div class="scroll"><img src="gone.png" alt="x" width="700"></div>',
        "an image is not there",
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
    "small": ("<style>figure img { min-width: 0 }</style>", "an image is 328 wide"),
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
def day(run, suite, tmp_path_factory):
    """Every page by day; the browser is started once."""
    wrong = {
        name: (run.replace("</body>", f"{put}</body>"), PHONE) for name, (put, _) in WRONG.items()
    }
    pages = {
        f"{name} {width}": (page, width)
        for name, page in (("run", run), ("suite", suite))
        for width in (PHONE, DESK)
    }
    return looked_at({**pages, **wrong}, "light", tmp_path_factory.mktemp("day"))


@pytest.fixture(scope="module")
def night(run, tmp_path_factory):
    return looked_at({"run 1440": (run, DESK)}, "dark", tmp_path_factory.mktemp("night"))


def looked_at(pages, scheme, folder):
    """What the browser tells of each page, from disk, under that scheme of colours."""
    frames = FRAMES
    for number, (page, width) in enumerate(pages.values()):
        assert page.count("</body>") == 1
        (folder / f"{number}.html").write_text(page.replace("</body>", MEASURE))
        frames += FRAME.format(f"{number}.html", width)
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


def browsed(page, scheme):
    """`make test` installs the browser, so that its absence is a failure."""
    path = shutil.which("chromium")
    if path is None:
        pytest.fail("no chromium: `apt-get install chromium` as root, or `make ready-dev`")
    colours = f"--blink-settings=preferredColorScheme={['dark', 'light'].index(scheme)}"
    argv = (path, *QUIET, colours, f"--user-data-dir={page.parent / 'profile'}", page.as_uri())
    return subprocess.run(argv, capture_output=True, text=True, timeout=90, check=False)


def faults(seen, width):
    """What a reader at a screen of that width would miss, or the network would be asked for."""
    assert seen["wide"] == width, "the browser did not take the width"
    return [
        *(f"console: {line}" for line in seen["console"]),
        *(f"asks for {name}" for name in seen["requests"]),
        *([f"the page is {seen['page']} wide"] if seen["page"] > width else []),
        *(f"cut off: {text}" for text in seen["cut"]),
        *("an image is not there" for each in seen["images"] if not each["there"]),
        *(
            f"an image is {each['width']} wide"
            for each in seen["images"]
            if each["width"] < LEAST_FIGURE_PX
        ),
        *("an image is cut off" for each in seen["images"] if not each["within"]),
        *("a table is not there" for each in seen["tables"] if not each["there"]),
        *("a table is cut off" for each in seen["tables"] if not each["within"]),
    ]


@pytest.mark.parametrize("width", [PHONE, DESK])
@pytest.mark.parametrize(("page", "images", "tables"), [("run", 1, 4), ("suite", 2, 8)])
def test_a_page_is_complete(day, page, images, tables, width):
    seen = day[f"{page} {width}"]

    assert faults(seen, width) == []
    assert len(seen["images"]) == images
    assert len(seen["tables"]) >= tables  # levels, limits, settings, environment


def test_in_dark_mode_page_and_figures_are_dark(day, night):
    by_day, by_night = day["run 1440"], night["run 1440"]

    assert (by_day["dark"], by_night["dark"]) == (False, True)
    assert faults(by_night, DESK) == []
    assert bright(by_day["paper"]) - bright(by_day["ink"]) > 0.8
    assert bright(by_night["ink"]) - bright(by_night["paper"]) > 0.8
    assert by_day["filter"] == ["none"]
    assert by_night["filter"] == ["invert(0.92) hue-rotate(180deg)"]
    # What the white of an inverted figure becomes is the page's own dark.
    assert bright(by_night["paper"]) == pytest.approx(1 - 0.92, abs=0.005)


def bright(colour):
    return sum(map(int, re.findall(r"\d+", colour)[:3])) / 765


@pytest.mark.parametrize("wrong", WRONG)
def test_faults_of_a_page_are_detected(day, wrong):
    found = faults(day[wrong], PHONE)

    assert any(each.startswith(WRONG[wrong][1]) for each in found), found
