"""What the report of `mtu` finds in labs with kernel VXLAN."""

from dataclasses import replace
from pathlib import Path

from experiments.core.results import Run, frame
from experiments.mtu.probe import EXPERIMENT as MTU
from experiments.mtu.report_kernel import judge_kernel, kernel_finding, spoken_of
from experiments.show.report import CONFIRMED, NOT_JUDGED, REFUTED

POINT = {"mode": "kvxlan-mesh", "underlay_mtu": 1500}
SAMPLE = {**POINT, "largest_bytes": 1450}
SIZE = {**POINT, "guest": "too large", "df": 1, "ip_bytes": 1451, "outcome": "ICMP frag needed"}
TCP = {**POINT, "guest": "too large", "outcome": "hangs after the handshake"}
SOON = {**POINT, "guest": "too large, soon told", "outcome": "completes"}
RIGHT = {**POINT, "guest": "right", "outcome": "completes"}


def mtu_run(*, samples=(SAMPLE,), size=SIZE, tcp=TCP, soon=SOON, right=RIGHT):
    rows = {"samples": samples, "outcomes": (size,), "tcp": (tcp, soon, right)}
    columns = MTU.question.tables()
    tables = {name: frame(each, columns[name]) for name, each in rows.items()}
    return Run(Path(), MTU.question, {}, tables)


def test_the_kernel_tells_who_sends_too_much():
    assert judge_kernel(mtu_run(), ())[0] == CONFIRMED
    assert kernel_finding(mtu_run()) == (
        "Kernel VXLAN, MTU too large: TCP hangs 1 of 1, completes 1 of 1 once told by ICMP"
    )
    for spoilt in (
        mtu_run(size={**SIZE, "outcome": "silently dropped"}),
        mtu_run(tcp={**TCP, "outcome": "completes"}),
        mtu_run(soon={**SOON, "outcome": "hangs after the handshake"}),
        mtu_run(right={**RIGHT, "outcome": "hangs after the handshake"}),
    ):
        assert judge_kernel(spoilt, ())[0] == REFUTED


def test_without_the_kernel_nothing_is_said_of_it():
    run = mtu_run(
        samples=({**SAMPLE, "mode": "gre-mesh"},),
        size={**SIZE, "mode": "gre-mesh"},
        tcp={**TCP, "mode": "gre-mesh"},
        soon={**TCP, "mode": "gre-mesh"},
        right={**RIGHT, "mode": "gre-mesh"},
    )
    assert judge_kernel(run, ())[0] == NOT_JUDGED
    assert kernel_finding(run) == ""
    assert len(spoken_of(run)) == len(spoken_of(mtu_run())) - 1
    assert replace(run.question, predictions=spoken_of(run)).predictions[-1].about == "goodput"
