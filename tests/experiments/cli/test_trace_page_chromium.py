"""The page of a trace in a real browser, from disk: keyboard, phone, dark, without JavaScript."""

import re

import pytest

from experiments.cli.pages.trace_page import as_html
from tests.devtools import browser
from tests.experiments.cli.test_trace_page import TRACES, course

pytestmark = pytest.mark.rootless

PHONE, DESK = 360, 1440
STEPS = "document.querySelectorAll('.step').length"
NOW = """({
  step: [...document.querySelectorAll('.step')].filter(e => !e.hidden).map(e => e.id).join(),
  place: [...document.querySelectorAll('svg .place.now')].map(e => e.id).join(),
  hash: location.hash,
  said: document.getElementById('said').textContent,
  listed: document.querySelector('nav [aria-current=step]').getAttribute('href'),
})"""
# What a reader would miss at this width: the page as a whole, and each text in it.
CUT = """(() => {
  const wide = document.scrollingElement.scrollWidth > innerWidth;
  const texts = [...document.querySelectorAll('h1, h2, p, li, pre, button, a, text')];
  const cut = texts.filter(e => {
    const b = e.getBoundingClientRect();
    const isShown = b.width > 1 && !e.closest('.unseen');
    const isCut = e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).display !== 'inline'
      && !(e instanceof SVGElement);
    return isShown && (b.right > innerWidth + 0.5 || b.left < -0.5 || isCut);
  });
  return [...(wide ? ['the page'] : []), ...cut.map(e => e.outerHTML.slice(0, 90))];
})()"""
# Each text with the contrast of its colour and the ground behind it (WCAG 2.2, 1.4.3).
CONTRAST = """(() => {
  const rgb = text => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(c => c / 255)
    .map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = e => {
    for (; e; e = e.parentElement) {
      const found = rgb(getComputedStyle(e).backgroundColor);
      if (found.length < 4 || found[3] > 0) return found;
    }
    return [255, 255, 255];
  };
  const ratio = (one, other) => {
    const [a, b] = [light(one), light(other)].sort((x, y) => y - x);
    return (a + 0.05) / (b + 0.05);
  };
  const found = [];
  document.querySelectorAll('body *').forEach(e => {
    const own = [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
    if (!own || !e.getClientRects().length || e.closest('script, style, title, .unseen')) return;
    const inSvg = e.closest('svg');
    const ink = rgb(getComputedStyle(e)[inSvg ? 'fill' : 'color']);
    const rect = inSvg && e.parentElement.querySelector('rect');
    const behind = rect ? rgb(getComputedStyle(rect).fill) : ground(e);
    found.push([ratio(ink, behind), e.outerHTML.slice(0, 90)]);
  });
  return found;
})()"""


@pytest.fixture(scope="module")
def tab(tmp_path_factory):
    with browser(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    for name in TRACES:
        (folder / f"{name}.html").write_text(as_html(course(name)))
    return {name: (folder / f"{name}.html").as_uri() for name in TRACES}


def test_keys_go_from_step_to_step(tab, pages):
    tab.open(pages["arp"], motion=False)
    first = tab.value(NOW)
    assert (first["step"], first["place"], first["said"]) == ("step-1", "near:", "")

    tab.press("ArrowRight")
    second = tab.value(NOW)
    assert (second["step"], second["place"], second["hash"]) == ("step-2", "near:br-int", "#step-2")
    assert second["listed"] == "#step-2"
    assert re.match(
        r"Step 2 of 16 · controller, br-int. table 0, LOCAL_SWITCHING. ARP", second["said"]
    )

    tab.press("End")
    last = tab.value(NOW)
    assert (last["step"], last["place"]) == ("step-16", "far:")
    assert "Delivered to ServerB" in last["said"]
    tab.press("ArrowRight")  # there is no further one
    assert tab.value(NOW) == last

    tab.press("ArrowLeft")
    assert tab.value(NOW)["place"] == "far:br-int"
    tab.press("Home")
    assert tab.value(NOW)["step"] == "step-1"
    assert tab.faults() == []


def test_every_step_has_its_own_place_text_and_headers(tab, pages):
    tab.open(pages["arp"], motion=False)
    found = []
    for _ in range(tab.value(STEPS)):
        found.append(tab.value(NOW)["place"])
        tab.press("ArrowRight")
    stack = "[...document.querySelectorAll('#step-9 .stack .new .name')].map(e => e.textContent)"

    assert found == [
        *["near:", *["near:br-int"] * 4, *["near:br-tun"] * 3, "near:br-vtep", "underlay"],
        *[*["far:br-tun"] * 3, *["far:br-int"] * 2, "far:"],
    ]
    assert tab.value(stack) == ["Ethernet", "IPv4", "UDP", "VXLAN"]


def test_buttons_and_the_list_do_the_same_and_can_be_reached_by_tab(tab, pages):
    tab.open(pages["arp"], motion=False)
    tab.click("#on")
    assert tab.value(NOW)["step"] == "step-2"
    tab.click("#back")
    assert tab.value(NOW)["step"] == "step-1"
    tab.click('nav a[href="#step-9"]')
    assert (tab.value(NOW)["place"], tab.value("location.hash")) == ("near:br-vtep", "#step-9")

    tab.open(pages["arp"], motion=False)
    reached = []
    for _ in range(5):
        tab.press("Tab")
        reached.append(tab.value("document.activeElement.id || document.activeElement.hash"))
    assert {"back", "on"} <= set(reached)
    outline = "getComputedStyle(document.activeElement).outlineStyle"
    assert tab.value(outline) == "solid"


def test_a_link_opens_its_step(tab, pages):
    tab.open(f"{pages['arp']}#step-10")
    assert tab.value(NOW)["place"] == "underlay"
    tab.value("location.hash = '#step-3'")
    assert tab.value("new Promise(done => setTimeout(done, 0)).then(() => 1) && 1") == 1
    assert tab.value(NOW)["step"] == "step-3"
    tab.open(f"{pages['arp']}#step-999")
    assert tab.value(NOW)["step"] == "step-1"


@pytest.mark.parametrize("name", TRACES)
def test_nothing_is_cut_off_on_a_phone_or_asked_for_from_outside(tab, pages, name):
    tab.open(pages[name], width=PHONE, motion=False)
    assert tab.value("innerWidth") == PHONE

    for _ in range(tab.value(STEPS)):
        assert tab.value(CUT) == [], tab.value(NOW)["step"]
        tab.press("ArrowRight")
    assert tab.faults() == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["broadcast", "lost"])
def test_all_text_has_contrast(tab, pages, name, scheme):
    tab.open(pages[name], scheme=scheme, motion=False)
    ground = tab.value("getComputedStyle(document.body).backgroundColor")
    assert ground == {"light": "rgb(255, 255, 255)", "dark": "rgb(20, 23, 26)"}[scheme]

    seen = 0
    for _ in range(tab.value(STEPS)):
        for ratio, text in tab.value(CONTRAST):
            assert ratio >= 4.5, text
            seen += 1
        tab.press("ArrowRight")
    assert seen > 300


def test_without_javascript_all_steps_are_there(tab, pages):
    tab.open(pages["broadcast"], width=PHONE, script=False)
    # Scripts of the page are off; the test's own still run, in the browser's protocol.
    shown = tab.value("[...document.querySelectorAll('.step')].map(e => e.getClientRects().length)")
    controls = tab.value("document.querySelector('.controls').getClientRects().length")

    assert len(shown) == 15
    assert all(shown)
    assert controls == 0
    assert tab.value("document.querySelectorAll('nav a[href=\"#step-9\"]').length") == 1
    assert tab.value(CUT) == []


@pytest.mark.parametrize("wanted", [True, False])
def test_nothing_moves_for_readers_who_do_not_want_it(tab, pages, wanted):
    tab.open(pages["arp"], motion=wanted)
    durations = tab.value(
        "['.place rect', '.way'].map(e => getComputedStyle(document.querySelector(e)).transitionDuration)"
    )
    moves = any(float(part.strip(" s")) > 0 for each in durations for part in each.split(","))
    animation = tab.value("getComputedStyle(document.querySelector('.step')).animationName")

    assert moves is wanted
    assert (animation != "none") is wanted


def test_faults_of_a_page_are_detected(tab, pages, tmp_path):
    wrong = tmp_path / "wrong.html"
    put = '<div style="width: 900px">x</div><script>undefined.x</script><img src="gone.png">'
    text = as_html(course("arp")).replace("</main>", f"{put}</main>")
    wrong.write_text(re.sub(r"<meta http-equiv[^>]*>", "", text))
    tab.open(wrong.as_uri(), width=PHONE)

    assert "the page" in tab.value(CUT)
    assert {each.partition(":")[0].partition(" ")[0] for each in tab.faults()} >= {
        "exception",
        "asks",
    }
