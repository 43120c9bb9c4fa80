"""The experiment `segments` without a lab: the ids it tries, what it counts, and its report."""

from dataclasses import replace

import pytest

from controller.model.encap import NetworkType
from controller.model.errors import MeasureError, UsageError
from experiments.core.results import Recorder, read
from experiments.measure.frames import ARP, arp_packet, ethernet, mac_bytes, replier
from experiments.segments import count, labs
from experiments.segments.probe import EXPERIMENT as SEGMENTS
from experiments.show.report import CONFIRMED, REFUTED
from experiments.show.reports import report_on
from tests.experiments.run_values import with_tables
from topologies.scenario.load import load

BASE = labs.narrowed(load("article").overlay)
MODES = SEGMENTS.question.factors["mode"]
FLAT, VLAN, GRE, VXLAN = (NetworkType(each) for each in ("flat", "vlan", "gre", "vxlan"))


def staged(mode, networks=4):
    return labs.staged(BASE, {"mode": mode, "networks": networks})


def frames(overlay, seed=1):
    return labs.frames(overlay, labs.KINDS, seed)


def ideal(overlay):
    """Every frame that must be received."""
    return set(count.awaited(overlay, frames(overlay)))


@pytest.mark.parametrize("many", [2, 8, 64])
@pytest.mark.parametrize("kind", list(NetworkType))
def test_ids_are_different_and_include_the_least_and_the_greatest(kind, many):
    found = labs.ids(kind, many)

    assert len(found) == many
    if kind.kind.id_max:
        assert {1, kind.kind.id_max} <= set(found)
        assert len(set(found)) == many
        assert all(1 <= id_ <= kind.kind.id_max for id_ in found)
    else:
        assert set(found) == {None}


def test_keys_that_are_equal_in_their_lowest_bits_are_used_at_the_same_time():
    found = labs.ids(GRE, 8)

    for bits in (12, 16, 24):
        low = [id_ % 2**bits for id_ in found]
        assert low.count(1) >= 2, f"a field of {bits} bits would mix no two of the ids"


@pytest.mark.parametrize("mode", MODES)
def test_each_network_has_a_pair_of_guests_on_two_hosts_except_local_networks(mode):
    overlay = staged(mode)
    hosts = {
        net.id: [p.host for p in overlay.ports if p.network_id == net.id]
        for net in overlay.networks
    }

    first, second = (host.name for host in BASE.hosts)
    wanted = [first, first, second] if mode == "local" else [first, second]
    assert list(hosts.values()) == [wanted] * 4
    assert len({port.mac_address for port in overlay.ports}) == len(overlay.ports)
    assert all(port.port_security_enabled for port in overlay.ports)


def test_networks_without_tunnels_do_not_use_the_underlay():
    assert [net.physical_network for net in staged("flat").networks] == [
        f"physnet{number}" for number in range(1, 5)
    ]
    assert {net.physical_network for net in staged("vlan").networks} == {"physnet1"}
    for mode in ("flat", "vlan"):
        assert all(
            "br-vtep" not in dict(host.bridge_mappings).values() for host in staged(mode).hosts
        )


def test_a_mode_must_name_a_network_type_and_two_hosts_are_needed():
    with pytest.raises(UsageError, match="a mode that names a network type"):
        labs.type_of("mesh")
    with pytest.raises(MeasureError, match="1 host; allowed: 2 or more"):
        labs.narrowed(replace(BASE, hosts=BASE.hosts[:1]))


@pytest.mark.parametrize("mode", MODES)
def test_networks_whose_guests_receive_only_their_own_frames_are_reached_without_leaks(mode):
    overlay = staged(mode)
    rows = count.network_rows(overlay, frames(overlay), ideal(overlay), (), ())

    assert [(row["reached"], row["leaks"]) for row in rows] == [(1, 0)] * 4


@pytest.mark.parametrize("mode", MODES)
def test_one_missing_and_one_misdelivered_frame_are_counted(mode):
    overlay = staged(mode)
    sent, received = frames(overlay), ideal(overlay)
    missed = received - {min(received)}
    assert (
        sum(int(row["reached"]) for row in count.network_rows(overlay, sent, missed, (), ())) == 3
    )

    other = next(port for port in overlay.ports if port.network_id == overlay.networks[1].id)
    misdelivered = {
        *received,
        (other.id, next(f for f in sent if f.network == overlay.networks[0].id).nonce),
    }
    assert [row["leaks"] for row in count.network_rows(overlay, sent, misdelivered, (), ())] == [
        1,
        0,
        0,
        0,
    ]


def test_a_frame_of_a_local_network_on_another_host_is_a_leak():
    overlay = staged("local")
    away = next(port for port in overlay.ports if port.device_id == labs.AWAY)
    sent = frames(overlay)
    ours = next(f for f in sent if f.network == away.network_id and f.sender.device_id == labs.ONE)

    rows = count.network_rows(overlay, sent, {*ideal(overlay), (away.id, ours.nonce)}, (), ())

    assert [row["leaks"] for row in rows] == [1, 0, 0, 0]


@pytest.mark.parametrize("mode", MODES)
def test_all_networks_have_the_same_subnet_and_addresses(mode):
    overlay = staged(mode)

    assert len({subnet.cidr for subnet in overlay.subnets}) == 1
    assert len(overlay.subnets) == len({subnet.network_id for subnet in overlay.subnets}) == 4
    by_network = {
        net.id: [port.fixed_ips for port in overlay.ports if port.network_id == net.id]
        for net in overlay.networks
    }
    (first, *others) = by_network.values()
    assert others == [first] * 3
    assert len(set(first)) == len(first)


def right_replies(overlay):
    return {(port.id, asked.mac_address) for port, asked, _ in labs.arp_requests(overlay)}


def test_arp_requests_differ_between_networks_only_in_the_mac_of_the_sender():
    overlay = staged("gre-mesh")
    asked = labs.arp_requests(overlay)

    assert len(asked) == 8
    for port, other, request in asked:
        assert request[:6] == b"\xff" * 6
        assert request[6:12] == request[22:28] == mac_bytes(port.mac_address)
        assert request[12:14] == b"\x08\x06"
        assert request[38:42] == other.ipv4[0].packed
        assert other.network_id == port.network_id
    assert len({request[28:] for _, _, request in asked}) == 2, "one from each side"


def test_the_sender_of_an_arp_reply_is_read_and_other_frames_are_ignored():
    overlay = staged("gre-mesh")
    (port, other, request), *_ = labs.arp_requests(overlay)
    reply = ethernet(
        port.mac_address,
        other.mac_address,
        ARP,
        arp_packet(2, (other.mac_address, other.ipv4[0]), (port.mac_address, port.ipv4[0])),
    )
    assert replier(reply) == (other.mac_address,)
    assert replier(request) == ()
    assert replier(reply[:12] + b"\x88\xb5" + reply[14:]) == ()


@pytest.mark.parametrize("mode", ["local", "gre-mesh"])
def test_a_missing_wrong_or_additional_reply_is_counted(mode):
    overlay = staged(mode)
    answers = right_replies(overlay)
    assert list(count.answered(overlay, answers).values()) == [True] * 4

    first, second = overlay.networks[:2]
    (asker, mac) = next((p, m) for p, m in answers if overlay.port_of[p].network_id == first.id)
    (stranger,) = {
        p.mac_address
        for p in overlay.ports
        if (p.network_id, p.device_id) == (second.id, labs.OTHER)
    }
    for wrong in (
        answers - {(asker, mac)},
        (answers - {(asker, mac)}) | {(asker, stranger)},
        answers | {(asker, stranger)},
    ):
        assert list(count.answered(overlay, wrong).values()) == [False, True, True, True]


def test_a_guest_without_a_peer_must_receive_no_reply():
    overlay = staged("local")
    away = next(port for port in overlay.ports if port.device_id == labs.AWAY)
    replies = right_replies(overlay) | {(away.id, overlay.ports[0].mac_address)}

    assert list(count.answered(overlay, replies).values()) == [False, True, True, True]


def packet(frame, interface, **ids):
    empty = dict.fromkeys(count.FIELDS, "")
    return {**empty, "frame.interface_name": interface, "data.data": frame.nonce.hex(), **ids}


@pytest.mark.parametrize(
    ("mode", "interface", "ids", "right"),
    [
        ("gre-mesh", "underlay", {"gre.key": "0x00000001"}, True),
        ("gre-mesh", "underlay", {"gre.key": "0x01000001"}, False),
        ("gre-mesh", "underlay", {}, False),
        ("vxlan-mesh", "underlay", {"vxlan.vni": "1"}, True),
        ("geneve-mesh", "underlay", {"geneve.vni": "0x000001"}, True),
        ("vlan", "ext-physnet1", {"vlan.id": "1"}, True),
        ("vlan", "ext-physnet1", {}, False),
        ("vlan", "underlay", {"vlan.id": "1"}, False),
        ("flat", "ext-physnet1", {}, True),
        ("flat", "ext-physnet1", {"vlan.id": "1"}, False),
        ("flat", "ext-physnet2", {}, False),
        ("flat", "underlay", {}, False),
        ("local", "underlay", {}, False),
    ],
)
def test_the_id_of_a_frame_on_the_wire(mode, interface, ids, right):
    overlay = staged(mode)
    first = overlay.networks[0]
    frame = next(f for f in frames(overlay) if f.network == first.id)
    ids_found = count.wire_ids(overlay, frames(overlay), [packet(frame, interface, **ids)])

    assert (ids_found[first.id] == count.expected_ids(first)) is right


def recorded(path, change=lambda row: row, modes=("local", "flat", "gre-mesh"), answered=1):
    points = tuple({"mode": mode, "networks": 4} for mode in modes)
    question = replace(SEGMENTS.question, factors={"mode": modes, "networks": (4,)})
    recorder = Recorder(path, "run", question.tables())
    predicted = labs.predicted(BASE, points)
    for order, (point, row) in enumerate(zip(points, predicted, strict=True), start=1):
        place = {"repeat": 1, "order": order, **point}
        recorder.samples([{**place, **change(dict(row))}])
        recorder.samples(
            (
                {
                    **place,
                    "network": f"n{n}",
                    "segmentation_id": id_,
                    "reached": 1,
                    "leaks": 0,
                    "on_wire": str(id_),
                    "labelled": 1,
                    "answered": answered,
                }
                for n, id_ in enumerate(labs.ids(labs.type_of(point["mode"]), 4), 1)
            ),
            "networks",
        )
    recorder.about(
        {
            "question": question.to_json(),
            "predicted": list(predicted),
            "seed": 1,
            "repeats": 1,
            "scenario": "article",
            "settings": {},
            "verdict": {"trusted": True, "reasons": []},
        }
    )
    return read(recorder.directory)


def test_findings_have_the_number_of_networks_and_the_greatest_gre_key(tmp_path):
    report = report_on(recorded(tmp_path))

    assert report.findings == (
        "4 networks of each type at once, all with the same addresses: all isolated, 0 frames leaked",
        "ARP for the same address in each network: 12 of 12 answered only by its own guest",
        "GRE: key 4,294,967,295 crossed the wire unchanged; the article says 2²⁴ ids",
    )
    assert report.pictures[0].title == "Ids: GRE 2³²; all 4 networks of each type are isolated"
    assert [each.outcome for each in report.outcomes] == [CONFIRMED, CONFIRMED]
    counts, spaces = report.tables
    assert counts.rows[2] == ("gre-mesh", "4", "4", "4", "4", "0", "4", "2", "4")
    assert spaces.rows == (
        ("local", "-", "4094", "4", "4", "-", "-"),
        ("flat", "-", "4094", "4", "4", "-", "-"),
        ("gre-mesh", "4294967295", "4094", "4", "4", "1", "4294967295"),
    )


def test_a_leak_refutes_the_prediction_and_is_the_first_finding(tmp_path):
    def change(row):
        return {**row, "isolated": 3, "leaks": 2} if row["mode"] == "gre-mesh" else row

    report = report_on(recorded(tmp_path, change))

    assert report.is_refuted
    assert report.outcomes[0].outcome == REFUTED
    assert report.findings[0] == "19 of 21 cells match their prediction"
    assert report.pictures[0].title == report.findings[0]
    assert report.tables[0].rows[2][2:6] == ("3 (predicted 4)", "4", "4", "2 (predicted 0)")


def test_the_figure_has_a_bar_for_each_type_and_a_dot_for_each_id(tmp_path):
    (ax,) = report_on(recorded(tmp_path)).draw().axes
    drawn = {each.get_gid(): each for each in (*ax.lines, *ax.texts)}

    assert list(drawn["ids gre-mesh"].get_xdata()) == [1, 2**32 - 1]
    assert list(drawn["proven gre-mesh"].get_xdata()) == sorted(labs.ids(GRE, 4))
    assert list(drawn["claimed"].get_xdata()) == [2**24, 2**24]
    assert drawn["ids flat"].get_text() == "no id: one per physical network"
    assert drawn["value 0.0"].get_text() == "4 of 4"
    assert ax.get_xscale() == "log"


def test_the_limit_of_br_int_is_drawn_only_through_modes_with_a_br_int(tmp_path):
    modes = ("local", "kvxlan-mesh", "gre-mesh", "kvxlan-multicast")
    (ax,) = report_on(recorded(tmp_path, modes=modes)).draw().axes
    names = [label.get_text() for label in ax.get_yticklabels()]
    pieces = [line for line in ax.lines if line.get_gid() == "host limit"]

    assert {x for line in pieces for x in line.get_xdata()} == {4094}
    through = {
        name
        for at, name in enumerate(names)
        if any(min(line.get_ydata()) < at < max(line.get_ydata()) for line in pieces)
    }
    assert through == {"local", "gre-mesh"}


def test_without_a_br_int_its_limit_is_not_drawn(tmp_path):
    (ax,) = report_on(recorded(tmp_path, modes=("kvxlan-mesh",))).draw().axes

    assert not [line for line in ax.lines if line.get_gid() == "host limit"]
    assert not [text for text in ax.texts if "on one host" in text.get_text()]


def test_a_network_in_which_another_guest_answers_is_not_proven(tmp_path):
    report = report_on(recorded(tmp_path, answered=0))

    assert (
        "ARP for the same address in each network: 0 of 12 answered only by its own guest"
        in report.findings
    )
    assert [row[4] for row in report.tables[1].rows] == ["0", "0", "0"]


def test_the_report_of_a_run_without_arp_requests_leaves_them_out(tmp_path):
    run = recorded(tmp_path)
    networks = run.tables["networks"].drop("answered")
    report = report_on(with_tables(run, {**run.tables, "networks": networks}))

    assert report.findings[0] == "4 networks of each type at once: all isolated, 0 frames leaked"
    assert not any("ARP" in finding for finding in report.findings)
    assert [row[4] for row in report.tables[1].rows] == ["4", "4", "4"]
