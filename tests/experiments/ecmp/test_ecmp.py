"""`ecmp` without a lab: the flows that are sent, the predictions, and the report of a run."""

from dataclasses import replace
from ipaddress import ip_address

import pytest
from matplotlib.colors import to_hex

from experiments.core.results import Recorder, read
from experiments.ecmp import labs
from experiments.ecmp.grid import Grid
from experiments.ecmp.probe import EXPERIMENT as ECMP
from experiments.ecmp.probe import Seen
from experiments.ecmp.words import SPLIT
from experiments.measure.frames import Arrived, Flow, Mark, arrived, checksum, redirected, udp_frame
from experiments.show.palette import BAD, GOOD
from experiments.show.reports import report_on
from topologies.scenario import load as scenario

FLOW = Flow(
    source_mac="02:00:00:00:00:01",
    target_mac="02:00:00:00:00:02",
    source=ip_address("10.9.0.1"),
    target=ip_address("10.9.0.2"),
    source_port=5000,
    target_port=9,
)
NONCE = b"12345678"
MARK = Mark(NONCE, 7, 3, 1)
OUTER_ETHERNET = bytes(12) + b"\x08\x00"


def outer(protocol, rest):
    head = bytes.fromhex("45000000000000004000") + b"\0\0" + ip_address("192.0.2.1").packed * 2
    return OUTER_ETHERNET + head[:9] + bytes([protocol]) + head[10:] + rest


@pytest.fixture(scope="module")
def overlay():
    return scenario.load("leaf-spine").overlay


def test_a_frame_is_a_valid_udp_packet_of_the_minimum_length():
    frame = udp_frame(FLOW, MARK)

    assert len(frame) == 60
    assert frame[12:14] == b"\x08\x00"
    assert checksum(frame[14:34]) == 0  # with its checksum in it, a header sums to nothing
    assert frame[34:38] == (5000).to_bytes(2, "big") + (9).to_bytes(2, "big")


def test_a_marked_packet_is_recognised_in_any_encapsulation():
    frame = udp_frame(FLOW, MARK)
    vxlan = outer(17, (40001).to_bytes(2, "big") + bytes(14) + frame)
    gre = outer(47, bytes(8) + frame)

    assert arrived(vxlan, NONCE) == Arrived(mark=MARK, outer_port=40001)
    assert arrived(gre, NONCE) == Arrived(mark=MARK, outer_port=None)
    assert arrived(gre, b"otherone") is None
    assert arrived(b"short", NONCE) is None


def test_a_frame_is_redirected_to_another_outer_address():
    frame = redirected(outer(47, b"payload!"), "203.0.113.1")

    assert frame[30:34] == ip_address("203.0.113.1").packed
    assert checksum(frame[14:34]) == 0
    assert frame[34:] == b"payload!"


@pytest.mark.parametrize("pairs", labs.PAIRS)
def test_flows_differ_in_ports_or_in_addresses_and_in_nothing_else(overlay, pairs):
    staged = labs.staged(overlay, {"mode": "gre-mesh", "spines": 2})
    setting = labs.Setting(hash_policy=1, pairs=pairs, flows=512, draw=1)
    flows = labs.sent(staged, setting, seed=1)

    assert len({(f.source, f.target) for f in flows}) == (512 if pairs == labs.MANY else 1)
    assert len({f.source_port for f in flows}) == (1 if pairs == labs.MANY else 512)
    assert all(f.source in labs.CIDR and f.target in labs.CIDR for f in flows)
    assert not {f.source for f in flows} & {f.target for f in flows}
    assert flows != labs.sent(staged, replace(setting, draw=2), seed=1)
    assert flows != labs.sent(staged, setting, seed=2)
    assert flows == labs.sent(staged, setting, seed=1)


def test_a_lab_has_the_spines_of_its_point_and_no_port_security(overlay):
    staged = labs.staged(overlay, {"mode": "geneve-mesh", "spines": 4})

    assert staged.underlay.spines == 4
    assert len(staged.hosts) == 2
    assert [port.port_security_enabled for port in staged.ports] == [False, False]
    assert {str(net.network_type) for net in staged.networks} == {"geneve"}


def test_predictions(overlay):
    rows = labs.predicted(overlay, ECMP.question.points())
    cell = {
        (row["mode"], row["spines"], row["hash_policy"], row["pairs"], row["flows"]): row
        for row in rows
    }

    assert len(rows) == 4 * 2 * 3 * 2 * 10
    spread = {
        (mode, policy, pairs) for (mode, _, policy, pairs, _), row in cell.items() if row["spreads"]
    }
    assert spread == {
        (mode, 1, pairs)
        for mode in ("vxlan-mesh", "geneve-mesh", "kvxlan-mesh")
        for pairs in labs.PAIRS
    } | {("gre-mesh", 2, "many")}
    even = cell["vxlan-mesh", 2, 1, "one", 32]
    assert (even["least"], even["most"]) == (8, 24)
    assert cell["gre-mesh", 4, 1, "many", 512]["entropy_bits"] == 0


def test_a_flow_on_two_spines_is_counted_on_both():
    seen = Seen({(flow, copy) for flow in range(2) for copy in range(2)})
    for flow, copy, spine in ((0, 0, "spine1"), (0, 1, "spine2"), (1, 0, "spine2")):
        seen.note(spine, Arrived(mark=Mark(NONCE, 0, flow, copy), outer_port=40000))

    assert seen.awaited == {(1, 1)}
    assert seen.spines == {0: {"spine1", "spine2"}, 1: {"spine2"}}
    assert [seen.on(spine) for spine in ("spine1", "spine2")] == [1, 2]


@pytest.fixture
def report_of(tmp_path, overlay):
    """A run in which policy 1 is measured on two spines, with these flows on spine1 of 32."""

    def report_of(settings=None, **on_first):
        experiment = ECMP.with_levels(mode=("gre-mesh", "vxlan-mesh"), spines=(2,))
        question = experiment.question
        predicted = [dict(row) for row in labs.predicted(overlay, question.points())]
        recorder = Recorder(tmp_path, "run", question.tables())
        recorder.about(
            {
                "question": question.to_json(),
                "predicted": predicted,
                "seed": 1,
                "scenario": "leaf-spine",
                "verdict": {"trusted": True, "reasons": []},
                "settings": settings or {},
            }
        )
        for order, (mode, counts) in enumerate(on_first.items(), start=1):
            for draw, first in enumerate(counts, start=1):
                _record(
                    recorder, {"repeat": 1, "order": order, "mode": f"{mode}-mesh"}, draw, first
                )
        return report_on(read(recorder.directory))

    return report_of


def _record(recorder, place, draw, first):
    """One draw: on the first spine so many of 32 flows, the others on the second; None: all lost."""
    from experiments.ecmp.chance import entropy_bits

    both = [0, 0] if first is None else [first, 32 - first]
    key = {**place, "spines": 2, "hash_policy": 1, "pairs": "one", "flows": 32, "draw": draw}
    recorder.samples(
        [
            {
                **key,
                "entropy_bits": None if first is None else entropy_bits(both),
                "least": min(both),
                "most": max(both),
                "spreads": int(0 not in both),
                "outer_ports": 32,
                SPLIT: 0,
            }
        ]
    )
    recorder.samples(
        [{**key, "spine": f"spine{at}", "on_spine": many} for at, many in enumerate(both, 1)],
        "spines",
    )


def test_the_report_of_a_run_as_predicted(report_of):
    found = report_of(gre=[32, 0], vxlan=[15, 18])

    assert found.findings == (
        "VXLAN spreads over 2 paths if outer ports are hashed",
        "32 flows on 2 paths, outer ports hashed: GRE all on one, VXLAN 14 to 18 on each",
        "All flows on one spine as predicted: 1 of 1 cell",
        "Flows spread like a random choice as predicted: 2 of 2 draws",
    )
    assert [outcomes.outcome for outcomes in found.outcomes] == ["confirmed"] * 3
    assert not found.is_refuted
    assert drawn(found) == {
        "GRE": ("one path", "busiest 100%"),
        "VXLAN": ("spreads", "busiest 55%"),
    }


def drawn(found):
    """The words in the chart's only row, by the name of the column."""
    (ax,) = found.draw().axes
    names = [label.get_text() for label in ax.get_xticklabels()]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["and outer\nports (1)"]
    at = {
        name: [text for text in ax.texts if text.get_position()[0] == n]
        for n, name in enumerate(names)
    }
    return {name: tuple(text.get_text() for text in texts) for name, texts in at.items()}


def test_a_cell_that_is_not_as_predicted_is_red(report_of):
    found = report_of(gre=[31], vxlan=[15])

    (ax,) = found.draw().axes
    inks = {patch.get_gid().split()[-1]: to_hex(patch.get_facecolor()) for patch in ax.patches}
    assert inks == {"GRE": BAD, "VXLAN": GOOD}
    assert drawn(found)["GRE"] == ("spreads", "busiest 97%")
    assert "1 to 31 on a spine" in found.pictures[0].title


def test_the_finding_names_what_each_encapsulation_spreads_by():
    both = {((1, None), "vxlan-mesh"), ((1, None), "kvxlan-mesh"), ((2, True), "gre-mesh")}
    modes = ("gre-mesh", "vxlan-mesh", "kvxlan-mesh")

    def finding(spread):
        words = dict.fromkeys(spread, "spreads")
        return Grid(
            flows=32, spines=4, draws=1, rows=(), modes=modes, words=words, cells={}
        ).finding

    assert finding(both) == (
        "VXLAN spreads over 4 paths if outer ports are hashed, GRE if inner addresses are"
    )
    assert finding({((2, True), "gre-mesh"), ((2, True), "kvxlan-mesh")}) == (
        "GRE and kernel VXLAN spread over 4 paths if inner addresses are hashed"
    )
    assert finding(()) == "All flows take one of 4 paths, whatever is hashed"


def test_a_tunnel_that_drops_all_packets_is_not_reported_as_all_on_one_spine(report_of):
    found = report_of(gre=[None, None], vxlan=[16])

    assert found.is_refuted
    assert "All flows on one spine as predicted: 0 of 1 cell" in found.findings
    assert drawn(found)["GRE"] == ("lost", "no packet")


def test_gre_that_spreads_is_refuted(report_of):
    found = report_of(gre=[31], vxlan=[15])

    assert found.is_refuted
    assert found.outcomes[0].outcome == "refuted"
    assert any("1 to 31 on a spine, predicted all on one" in each for each in found.findings)


@pytest.mark.parametrize(
    ("on_first", "where"),
    [
        ([32, 32], "all on spine1"),
        ([0], "all on spine2"),
        ([32, 0], "all on spine1 or spine2"),
        ([31], "1 to 31"),
        ([32, 31], "0 to 32"),
        ([None], "0"),
    ],
)
def test_the_overview_names_the_spine_if_it_is_the_only_one(report_of, on_first, where):
    overview = report_of(gre=on_first).tables[0]

    assert [row[-1] for row in overview.rows] == [where]
    assert "its seed is drawn when the machine boots" in overview.note


def test_the_packets_of_each_flow_are_reported(report_of):
    found = report_of(gre=[32], settings={"copies": 2})

    assert found.conditions.startswith("32 flows of 2 packets each in 1 draw of ports or addresses")
    assert found.outcomes[2].found == "split: 0 of 32 flows of 2 packets each"
    assert report_of(gre=[32]).outcomes[2].found == "split: 0 of 32 flows"


def test_the_summary_of_every_cell_counts_mismatches(report_of):
    assert report_of(gre=[32, 0], vxlan=[16]).tables[1].summary == "all as predicted"
    assert report_of(gre=[31, 32], vxlan=[7]).tables[1].summary == "2 with a draw outside its band"


def test_vxlan_on_one_path_is_refuted_but_one_draw_outside_its_band_is_not(report_of):
    assert not report_of(vxlan=[16, 16, 7]).is_refuted
    assert report_of(vxlan=[0, 32, 32]).outcomes[1].outcome == "refuted"
