"""Drawings of scenarios as values: everything is there, nothing overlaps, 16 hosts stay readable."""

import re
from dataclasses import replace
from itertools import combinations, pairwise

import pytest

from controller.flows.linuxbridge import Kernel, segments
from controller.model.modes import parse_mode, with_mode
from controller.model.parts import Network
from controller.model.sites import Sites
from controller.switches.reading import COLUMNS, parse_reading
from tests.topologies.drawing.drawn import draw, drawing, svg_of, texts, words
from tests.topologies.trace.played_lab import played
from topologies.drawing.dot import Look, as_dot
from topologies.drawing.metrics import height_of, text_width
from topologies.drawing.overlay_drawing import draw_overlay
from topologies.drawing.palette import COLOURS, TUNNEL, colours_of
from topologies.drawing.ports import planned, seen, seen_kernel
from topologies.scenario.load import available, load

MODES = ("vxlan-mesh", "gre-l2pop", "kvxlan-mesh", "kvxlan-multicast", "vlan", "flat")
CASES = [
    *((name, None, None) for name in available()),
    *(("article", mode, None) for mode in MODES),
    ("article", "vxlan-mesh", 3),
    ("article", "vxlan-mesh", 16),
    ("leaf-spine", "gre-l2pop", 16),
]


@pytest.mark.parametrize("name", available())
def test_every_server_network_and_tunnel_port_is_there(name):
    described = load(name).described
    shown = " ".join(words(drawing(name)))

    if isinstance(described, Sites):
        parts = [*(s.name for s in described.stations), *described.routers, "GRE tunnel, MTU 1468"]
        parts += [str(station.ip) for station in described.stations]
    else:
        parts = [network.name for network in described.networks]
        parts += [str(n.segmentation_id) for n in described.networks if n.segmentation_id]
        parts += [port.mac_address for port in described.ports]
        parts += [str(ip) for port in described.ports for ip in port.fixed_ips]
        ports = [planned(described, host) for host in described.hosts]
        parts += [
            p.name for host in ports for listed in host.bridges.values() for p in listed if p.peer
        ]
        parts += [
            f"to {p.remotes[0]}" for host in ports for p in host.bridges["br-tun"] if p.remotes
        ]
        parts += [f"VTEP {host.local_ip}" for host in described.hosts]
    assert [part for part in parts if part not in shown] == []


def box_of(placed):
    half = height_of(placed.box) / 2
    return (
        placed.x - placed.width / 2,
        placed.y - half,
        placed.x + placed.width / 2,
        placed.y + half,
    )


@pytest.mark.parametrize("case", CASES, ids=str)
def test_boxes_are_apart_and_lines_end_at_them(case):
    drawn = drawing(*case)
    boxes = [box_of(placed) for placed in drawn.boxes]
    for placed, one in zip(drawn.boxes, boxes, strict=True):
        assert placed.width >= max(
            text_width(row.text, 10) for row in (*placed.box.rows, *[_EMPTY])
        )
        assert one[0] < one[2]
    touching = [
        (drawn.boxes[i].box.id, drawn.boxes[j].box.id)
        for i, j in combinations(range(len(boxes)), 2)
        if boxes[i][0] < boxes[j][2]
        and boxes[j][0] < boxes[i][2]
        and boxes[i][1] < boxes[j][3] - 1
        and boxes[j][1] < boxes[i][3] - 1
    ]
    assert touching == []
    rows = {placed.box.id: len(placed.box.rows) for placed in drawn.boxes}
    rows |= {spot.id: 0 for spot in drawn.spots}
    for line in drawn.lines:
        for end in (line.one, line.other):
            assert end.id in rows
            assert end.row is None or end.row < rows[end.id]
    assert len(set(rows)) == len(drawn.boxes) + len(drawn.spots)


@pytest.mark.parametrize(("name", "count"), [("leaf-spine", 8), ("home-office", 3)])
def test_a_cable_ends_at_the_interfaces_to_the_other_router(name, count):
    drawn = drawing(name)
    boxes = {placed.box.id: placed.box for placed in drawn.boxes}
    routers = [id_ for id_ in boxes if re.match(r"leaf|spine|isp", id_)]
    cables = 0
    for line in drawn.lines:
        for here, there in ((line.one, line.other), (line.other, line.one)):
            if here.id in routers and there.id in {*routers, "home-router", "office-router"}:
                assert boxes[here.id].rows[here.row].text.startswith(f"{there.id}: ")
                cables += 1 / (2 if there.id in routers else 1)
    assert cables == count


class _Empty:
    text = ""


_EMPTY = _Empty()


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_host_is_within_its_frame(case):
    drawn = drawing(*case)
    frames = {frame.id: frame for frame in drawn.frames}
    inside = 0
    for placed in drawn.boxes:
        frame = frames.get(placed.box.id.partition("/")[0])
        if frame and "/" in placed.box.id:
            left, top, right, bottom = box_of(placed)
            assert frame.x - frame.width / 2 < left < right < frame.x + frame.width / 2
            assert frame.y - frame.height / 2 < top < bottom < frame.y + frame.height / 2
            inside += 1
    assert inside >= len(frames)


def test_a_mesh_of_16_hosts_is_no_tangle():
    drawn = drawing("article", "vxlan-mesh", 16)
    thick = [line for line in drawn.lines if line.stroke.colour == TUNNEL]

    assert "120 tunnels" in words(drawn)
    assert words(drawn).count("15 VXLAN ports") == 16
    assert len(thick) == 16 + 2 * 2  # a line a host; in each half a bus, and its line to the middle
    ends = {spot.id: spot for spot in drawn.spots}
    buses = [(ends[x.one.id], ends[x.other.id]) for x in thick if {x.one.id, x.other.id} <= {*ends}]
    assert [one.x == other.x for one, other in buses] == [True, True]


def test_two_hosts_have_a_line_from_port_to_port_for_each_tunnel():
    drawn = drawing("article")
    tunnels = [
        (line.one.id, line.one.row, line.other.id, line.other.row)
        for line in drawn.lines
        if line.stroke.colour == TUNNEL
    ]

    assert tunnels == [("controller/br-tun", row, "computer/br-tun", row) for row in (1, 2)]
    assert {"GRE tunnel", "VXLAN tunnel"} <= set(words(drawn))


def test_hosts_stand_in_their_order():
    frames = drawing("article", "vxlan-mesh", 16).frames

    assert [frame.id for frame in frames[:3]] == ["controller", "computer", "computer2"]
    assert all(a.y < b.y for a, b in pairwise(frames[:8]))
    assert all(a.y < b.y for a, b in pairwise(frames[8:]))
    assert max(frame.x for frame in frames[:8]) < min(frame.x for frame in frames[8:])


def test_a_multicast_overlay_shows_its_group():
    assert "multicast 239.0.0.111" in words(drawing("article", "kvxlan-multicast"))


def test_text_is_at_least_10_pt():
    sizes = re.findall(r'(?:fontsize=|point-size=")(\d+)', as_dot(drawing("type-drivers")))

    assert len(sizes) > 20
    assert min(map(int, sizes)) >= 10


def contrast(colour):
    """Of a colour and white (WCAG 2.2)."""
    parts = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    linear = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 1.05 / (sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True)) + 0.05)


@pytest.mark.parametrize("colour", COLOURS)
def test_a_network_is_seen_on_white(colour):
    assert contrast(colour) >= 3


def test_networks_have_colours_of_their_own_and_a_red_one_is_red():
    networks = load("type-drivers").overlay.networks
    colours = colours_of(networks)

    assert len(set(colours.values())) == len(networks) == 8
    assert colours[next(n.id for n in networks if n.name == "red")] == "#d55e00"


EVIL = [
    '"',
    "\\",
    "<b>&amp;</b>",
    "\N{SNOWMAN} \u202e\u0007",
    "网络",
    "]; evil -> x [",
    "{|}",
    "\\N\\l",
]


@pytest.mark.parametrize("name", EVIL)
def test_any_name_of_a_network_is_drawn_as_it_is(name):
    overlay = load("article").overlay
    (network,) = overlay.networks
    drawn = draw(replace(overlay, name=name, networks=(replace(network, name=name),)))
    visible = name.replace("\u202e", "\\u202e").replace("\u0007", "\\x07")

    found = texts(svg_of(drawn))
    assert any(text.startswith(f"{visible}: VXLAN, VNI 111") for text in found), found
    assert any(text.startswith(f"{visible}: 2 hosts") for text in found), found
    assert not any("evil" in text for text in found if name != EVIL[5])
    assert len(found) == len(texts(svg_of(drawing("article"))))


def test_a_long_name_is_cut():
    overlay = load("article").overlay
    (network,) = overlay.networks
    drawn = draw(replace(overlay, networks=(replace(network, name="x" * 255),)))

    assert max(placed.width for placed in drawn.boxes) < 700


def test_many_servers_are_counted():
    overlay = load("article").overlay
    server = overlay.ports[0]
    ports = [
        replace(
            server,
            id=f"{number:08x}-0000-4000-8000-000000000000",
            name=f"port{number}",
            device_id=f"vm{number}",
            mac_address=f"fa:16:3e:00:00:{number:02x}",
            fixed_ips=(server.fixed_ips[0] + 1 + number,),
        )
        for number in range(30)
    ]
    drawn = draw(replace(overlay, ports=tuple(ports)))

    assert "and 18 more servers" in words(drawn)
    assert "and 7 more ports" in words(drawn)


def test_more_networks_than_colours_are_all_named():
    overlay = load("article").overlay
    more = [
        Network(
            id=f"{n:08x}-0",
            name=f"net{n}",
            network_type=overlay.networks[0].network_type,
            segmentation_id=n,
        )
        for n in range(1, 21)
    ]
    drawn = draw(replace(overlay, networks=(*overlay.networks, *more)))

    assert all(
        any(word.startswith(f"net{n}: VXLAN") for word in words(drawn)) for n in range(1, 21)
    )


def test_one_host_alone_shows_all_its_tunnels():
    overlay = load("side-by-side").overlay
    drawn = draw_overlay(overlay, [planned(overlay, overlay.host("host4"))])

    assert drawn.title == "side-by-side: host4 (of 4 hosts), 2 networks, 1 server"
    assert [frame.id for frame in drawn.frames] == ["host4"]
    assert sum(" to 192.0.2." in word for word in words(drawn)) == 6
    assert words(drawn).count("3 tunnels") == 2


def reading_of(recording, host):
    lab = played(recording)
    answer = next(
        text for asked, text in lab.answers.items() if asked.startswith(f"{host}: ovs-vsctl")
    )
    return lab.overlay, parse_reading("\n".join(answer.splitlines()[: len(COLUMNS)]))


@pytest.mark.parametrize("host", ["controller", "computer"])
def test_a_lab_as_read_is_drawn_as_planned(host):
    overlay, reading = reading_of("own.arp.cold", host)
    there, plan = overlay.host(host), planned(overlay, overlay.host(host))
    read = seen(overlay, there, plan.index, reading)

    assert read.local_vlans == plan.local_vlans
    assert list(read.bridges) == list(plan.bridges)
    for bridge, ports in plan.bridges.items():
        assert set(read.bridges[bridge]) == set(ports)


@pytest.mark.parametrize("mode", ["kvxlan-mesh", "kvxlan-l2pop", "kvxlan-multicast"])
def test_linux_bridges_as_read_are_drawn_as_planned(mode):
    overlay = with_mode(load("side-by-side").overlay, parse_mode(mode))
    for at, host in enumerate(overlay.hosts):
        made = segments(overlay, host)
        devices = {tap: each.bridge for each in made for tap in each.taps}
        devices |= {each.vxlan.name: each.bridge for each in made if each.vxlan}
        devices |= {each.bridge: "" for each in made} | {"lo": "", "underlay": ""}
        vxlans = {each.vxlan.name: each.vxlan for each in made if each.vxlan}
        read = seen_kernel(overlay, host, at, Kernel(devices=devices, vxlans=vxlans))

        assert read == planned(overlay, host)
        assert read.bridges


def test_a_port_that_is_not_there_is_drawn_so():
    overlay, reading = reading_of("own.arp.cold", "controller")
    bridge = reading["br-int"]
    kept = {name: row for name, row in bridge.ports.items() if not row.iface_id}
    read = seen(
        overlay,
        overlay.host("controller"),
        0,
        {**reading, "br-int": replace(bridge, ports=kept)},
    )
    drawn = draw_overlay(overlay, [read, planned(overlay, overlay.host("computer"))])

    (server,) = (placed.box for placed in drawn.boxes if placed.box.heading == "ServerA")
    assert server.rows[-1].text == "not plugged"
    assert not any("server/ServerA" in line.one.id for line in drawn.lines)


def test_a_tunnel_to_nowhere_is_drawn_so():
    """What a host has is drawn, also where it contradicts the other host."""
    overlay, reading = reading_of("own.arp.cold", "controller")
    bridge = reading["br-tun"]
    ports = {
        name: replace(row, options={**row.options, "remote_ip": "192.0.2.99"})
        if row.type == "vxlan"
        else row
        for name, row in bridge.ports.items()
    }
    read = seen(
        overlay, overlay.host("controller"), 0, {**reading, "br-tun": replace(bridge, ports=ports)}
    )
    drawn = draw_overlay(overlay, [read, planned(overlay, overlay.host("computer"))])

    assert any(word.endswith("to 192.0.2.99") for word in words(drawn))
    assert "VXLAN tunnel" not in words(drawn)


def test_looks_are_all_used():
    assert {placed.box.look for placed in drawing("side-by-side").boxes} == {*Look}


def test_a_title_may_end_in_what_escapes_a_quote():
    drawn = replace(drawing("article"), title="C:\\")

    assert texts(svg_of(drawn)) == texts(svg_of(drawing("article")))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_bus_passes_no_box(case):
    drawn = drawing(*case)
    ends = {spot.id: spot for spot in drawn.spots}
    spans = [
        (ends[line.one.id], ends[line.other.id])
        for line in drawn.lines
        if {line.one.id, line.other.id} <= {*ends}
    ]
    crossed = [
        placed.box.id
        for one, other in spans
        for placed in drawn.boxes
        for left, top, right, bottom in (box_of(placed),)
        if left < one.x < right and min(one.y, other.y) < bottom and top < max(one.y, other.y)
    ]
    assert crossed == []


def test_a_group_is_no_tunnel_and_an_unused_encapsulation_has_no_overlay():
    group = words(drawing("article", "kvxlan-multicast"))
    untunnelled = words(drawing("article", "vlan"))

    assert not [text for text in group if re.fullmatch(r"\d+ tunnels?", text)]
    assert "VXLAN overlay" in group
    assert not [text for text in untunnelled if text.endswith(" overlay")]


def test_local_vlans_that_differ_are_not_said_to_be_one():
    overlay = load("article").overlay
    one, other = (planned(overlay, host) for host in overlay.hosts)
    (network,) = overlay.networks
    differing = replace(other, local_vlans={network.id: 7})

    same, different = (
        " ".join(words(draw_overlay(overlay, [one, each]))) for each in (other, differing)
    )

    assert "local VLAN 1" in same
    assert "local VLANs differ (see br-int)" in different
