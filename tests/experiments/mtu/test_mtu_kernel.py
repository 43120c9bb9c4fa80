"""What the report of `mtu` finds in labs with kernel VXLAN."""

from pathlib import Path

from experiments.mtu.probe import EXPERIMENT as MTU
from experiments.mtu.report import build_report
from experiments.show.report import CONFIRMED, NOT_JUDGED, REFUTED
from tests.experiments.run_values import run_of_rows

POINT = {"mode": "kvxlan-mesh", "underlay_mtu": 1500}
SAMPLE = {**POINT, "largest_bytes": 1450}
SIZE = {**POINT, "guest": "too large", "df": 1, "ip_bytes": 1451, "outcome": "ICMP frag needed"}
TCP = {**POINT, "guest": "too large", "outcome": "hangs after the handshake"}
SOON = {**POINT, "guest": "too large, after ICMP", "outcome": "completes"}
RIGHT = {**POINT, "guest": "right", "outcome": "completes"}


ABOUT = {"scenario": "article", "seed": 1, "verdict": {"trusted": True, "reasons": []}}
FINDING = (
    "TCP over kernel VXLAN hangs if the guests' MTU is too large (1 of 1), until another packet "
    "has caused ICMP (1 of 1 complete)"
)
CLAIM = next(each.claim for each in MTU.question.predictions if each.about == "kernel")


def report_on(*, size=SIZE, tcp=TCP, soon=SOON, right=RIGHT, mode="kvxlan-mesh"):
    rows = {
        "samples": ({**SAMPLE, "guest_mtu": 1700},),
        "outcomes": (size,),
        "tcp": (tcp, soon, right),
        "goodput": (),
        "pings": (),
    }
    tables = {name: tuple({**row, "mode": mode} for row in each) for name, each in rows.items()}
    about = {**ABOUT, "predicted": [{**SAMPLE, "mode": mode}]}
    return build_report(run_of_rows(Path(), MTU.question, about, tables))


def outcome(report):
    (found,) = (each.outcome for each in report.outcomes if each.claim == CLAIM)
    return found


def test_kernel_vxlan_sends_icmp_and_tcp_completes_only_after_it():
    report = report_on()

    assert outcome(report) == CONFIRMED
    assert FINDING in report.findings
    for spoilt in (
        report_on(size={**SIZE, "outcome": "silently dropped"}),
        report_on(tcp={**TCP, "outcome": "completes"}),
        report_on(soon={**SOON, "outcome": "hangs after the handshake"}),
        report_on(right={**RIGHT, "outcome": "hangs after the handshake"}),
    ):
        assert outcome(spoilt) == REFUTED


def test_without_tcp_after_icmp_the_prediction_is_not_judged():
    assert outcome(report_on(soon=RIGHT)) == NOT_JUDGED


def test_without_the_kernel_there_is_nothing_about_it():
    report = report_on(mode="gre-mesh", soon=TCP)

    assert not any("kernel" in finding for finding in report.findings)
    assert len(report.outcomes) == len(report_on().outcomes) - 1
    assert CLAIM not in {each.claim for each in report.outcomes}
