"""The page of a trace as values: headers at each table, places in the drawing, escaped names."""

import html
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from experiments.cli.main import main
from experiments.cli.pages.map import WIDTH, map_of
from experiments.cli.pages.steps import steps_of
from experiments.cli.pages.trace_page import as_html
from tests.topologies.trace.played_lab import traced

A, B = "ServerA", "ServerB"
TRACES = {
    "arp": ("own.arp.cold", A, B, "arp"),
    "learned": ("own.ping.warm", A, B, "ping"),
    "broadcast": ("side.mesh.broadcast", "red1", "red3", "broadcast"),
    "answered": ("vxlan-l2pop-arp.arp", A, B, "arp"),
    "lost": ("own.arp.unknown-vni", A, B, "arp"),
    "no neighbour": ("own.arp.no-neighbour", A, B, "arp"),
    "one host": ("three.neighbour.arp", "red1", "red3", "arp"),
    "flat": ("flat.ping", B, A, "ping"),
    "vlan": ("vlan.arp", A, B, "arp"),
    "provider": ("two.physnets.ping", "blue1", "green2", "ping"),
    "hybrid": ("two.hybrid.arp", "red1", "red2", "arp"),
    "IPv6": ("three.ping6", "red1", "red2", "ping"),
    "other network": ("side.mesh.strangers", "red1", "blue2", "ping"),
}


def course(name):
    return traced(*TRACES[name])


def shown(steps):
    """Place and names of the headers, step by step."""
    return [
        (step.where, step.title.split(",")[0], *(header.name for header in step.headers.stack))
        for step in steps
    ]


def test_headers_grow_and_shrink_on_the_way():
    inner, tagged = ("Ethernet", "ARP"), ("Ethernet", "802.1Q", "ARP")
    outer = ("Ethernet", "IPv4", "UDP", "VXLAN")

    assert shown(steps_of(course("arp"))) == [
        ("controller, ServerA", "ServerA sends", *inner),
        *(("controller, br-int", f"table {table}", *inner) for table in (0, 24, 25, 60)),
        *(("controller, br-tun", f"table {table}", *tagged) for table in (0, 2, 22)),
        ("controller, br-vtep", "table 0", *outer, *inner),
        ("underlay", "from controller to computer", *outer, *inner),
        *(("computer, br-tun", f"table {table}", *inner) for table in (0, 4)),
        ("computer, br-tun", "table 10", *tagged),
        *(("computer, br-int", f"table {table}", *tagged) for table in (0, 60)),
        ("computer, ServerB", "delivered", *inner),
    ]


def test_sizes_are_those_of_the_headers():
    guest, *_, wire = (step.headers.size for step in steps_of(course("arp"))[:10])

    assert (guest, wire) == (14 + 28, 14 + 20 + 8 + 8 + 14 + 28)


def test_the_tunnel_id_is_known_where_a_flow_matches_or_sets_it():
    steps = steps_of(course("arp"))

    assert [step.headers.tunnel_id for step in steps if step.where == "computer, br-tun"] == [
        111
    ] * 3
    assert {step.headers.tunnel_id for step in steps if step.where != "computer, br-tun"} == {None}


def test_a_learned_flow_says_so_and_takes_the_tag_off():
    step = next(step for step in steps_of(course("learned")) if step.is_learned)

    assert step.title == "table 20, UCAST_TO_TUN"
    assert [header.says for header in step.headers.stack if header.kind == "tag"] == ["VLAN 1"]


def test_an_answered_request_comes_back_as_the_reply():
    steps = steps_of(course("answered"))
    last = steps[-1]

    assert (last.where, last.title) == ("controller, ServerA", "answered")
    assert [header.says for header in steps[0].headers.stack][1].startswith(
        "who has 172.16.166.125?"
    )
    assert [header.says for header in last.headers.stack] == [
        "fa:16:3e:29:99:6a > fa:16:3e:7a:f5:1d",
        "172.16.166.125 is at fa:16:3e:29:99:6a",
    ]


def test_vlan_tags_change_from_the_local_to_that_of_the_wire():
    tags = [
        (step.where, header.says)
        for step in steps_of(course("vlan"))
        for header in step.headers.stack
        if header.kind == "tag"
    ]

    assert ("controller, br-vtep", "VLAN 1") in tags
    assert ("underlay", "VLAN 111") in tags
    assert tags[-1] == ("computer, br-int", "VLAN 1")


def test_every_copy_of_a_broadcast_is_named_and_drawn():
    found = course("broadcast")
    wire = next(step for step in steps_of(found) if step.where == "underlay")
    boxes = {box.text: box for box in map_of(found).boxes if box.kind == "branch"}

    assert wire.copies == found.others
    assert {(name, box.note, box.is_unused) for name, box in boxes.items()} == {
        ("host2", "red2", False),
        ("host4", "unneeded copy", True),
    }
    assert [step.shows_branches for step in steps_of(found)].index(True) == 8  # the underlay


@pytest.mark.parametrize("name", TRACES)
def test_every_step_has_its_place_and_way_in_the_drawing(name):
    found = course(name)
    drawn = map_of(found)
    places, lines = {box.id for box in drawn.boxes}, {line.id for line in drawn.lines}

    for step in steps_of(found):
        assert step.at in places
        assert step.via in {"", *lines}
    for box in drawn.boxes:
        assert box.x >= 0
        assert box.x + box.width <= WIDTH
    assert len(places) == len(drawn.boxes)


@pytest.mark.parametrize("name", TRACES)
def test_the_outcome_is_the_last_step(name):
    found = course(name)

    assert steps_of(found)[-1].why == found.end
    assert (steps_of(found)[-1].title == "lost") is not found.delivered


@pytest.mark.parametrize(
    ("name", "outcome"),
    [("arp", "Arrives."), ("answered", "Is answered."), ("lost", "Does not arrive.")],
)
def test_the_page_begins_with_the_outcome(name, outcome):
    page = as_html(course(name))

    assert page.index(outcome) < page.index("<svg")
    assert course(name).end in html.unescape(page[: page.index("<svg")])


class Tags(HTMLParser):
    """The names of all elements, and all text."""

    def __init__(self):
        super().__init__()
        self.tags, self.texts = [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, *sorted(name for name, _ in attrs if name.startswith("on"))))

    def handle_data(self, data):
        self.texts.append(data)


def parsed(page):
    found = Tags()
    found.feed(page)
    return found


def test_nothing_from_the_lab_becomes_part_of_the_page():
    evil = "<script>alert(1)</script>\"' onload=x &amp; \u202e\u0007{{ 7 * 7 }}"
    plain = course("broadcast")

    def spoilt(stages):
        return tuple(
            replace(
                stage,
                host=evil,
                bridge=f"{stage.bridge}{evil}" if stage.bridge == "br-vtep" else stage.bridge,
                steps=tuple(replace(step, name=evil, flow=evil, why=evil) for step in stage.steps),
            )
            for stage in stages
        )

    names = {
        **dict.fromkeys(("source", "target", "source_host", "target_host", "frame", "end"), evil),
        "facts": (evil,),
        "others": (evil,),
        "lacking": (evil,),
        "near": spoilt(plain.near),
        "far": spoilt(plain.far),
        "branches": tuple(
            replace(each, words=evil, host=evil, guests=(evil,)) for each in plain.branches
        ),
        "layers": tuple(replace(layer, says=evil) for layer in plain.layers),
    }
    normal, spoiled = parsed(as_html(plain)), parsed(as_html(replace(plain, **names)))

    assert set(spoiled.tags) <= {*normal.tags, ("code",), ("pre",)}
    assert len(spoiled.tags) > 100
    assert spoiled.tags.count(("script",)) == 1
    assert any("<script>alert(1)</script>" in text for text in spoiled.texts)
    assert not any("49" in text for text in spoiled.texts if "{{" in text)
    assert not re.search("[\u202e\u0007]", as_html(replace(plain, **names)))


def test_the_page_needs_nothing_from_outside():
    page = as_html(course("arp"))

    assert "default-src 'none'" in page
    assert not re.search(r"(?:src|href)=\"(?!#|data:,)", page)
    assert "@import" not in page
    assert "http" not in re.sub(r"http-equiv", "", page)


@pytest.mark.parametrize(
    ("actions", "names"),
    [
        ("pop_vlan,goto_table:5", ["Ethernet", "ARP"]),
        ("strip_vlan,output:1", ["Ethernet", "ARP"]),
        ("load:0->NXM_OF_VLAN_TCI[],output:1", ["Ethernet", "ARP"]),
        (
            "learn(table=20,load:0->NXM_OF_VLAN_TCI[],output:1),NORMAL",
            ["Ethernet", "802.1Q", "ARP"],
        ),
        ("set_field:4098->vlan_vid,NORMAL", ["Ethernet", "802.1Q", "ARP"]),
    ],
)
def test_actions_change_the_tag_for_the_next_table(actions, names):
    found = course("arp")
    first, second, *_ = found.near[1].steps
    steps = (
        replace(first, flow=f"priority=1,dl_vlan=1 actions={actions}"),
        replace(second, flow="priority=0 actions=NORMAL"),
    )
    near = (found.near[0], replace(found.near[1], steps=steps))
    shown_steps = steps_of(replace(found, near=near, wire=None, far=()))

    after = [step for step in shown_steps if step.where == "controller, br-tun"][1]
    assert [header.name for header in after.headers.stack] == names
    if "4098" in actions:
        assert after.headers.stack[1].says == "VLAN 2"


def test_a_trace_goes_to_standard_output_or_to_a_file(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr("experiments.cli.lab.attached", lambda _: None)
    monkeypatch.setattr("topologies.trace.trace.trace_frame", lambda *_: course("arp"))
    monkeypatch.chdir(tmp_path)
    command = ("trace", "demo", A, B, "-o")

    assert main([*command, "-"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("ServerA")
    assert main([*command, "a.txt"]) == 0
    assert (tmp_path / "a.txt").read_text() == printed
    (tmp_path / "link.txt").symlink_to("precious")
    for file, found in (
        ("no/a.txt", "No such file"),
        ("link.txt", "is a symbolic link"),
        (str(tmp_path), "is a directory"),
    ):
        assert main([*command, file]) == 2
        assert capsys.readouterr().err.startswith(f"overlaylab: -o '{file}': {found}")
    assert {each.name for each in tmp_path.iterdir()} == {"a.txt", "link.txt"}
