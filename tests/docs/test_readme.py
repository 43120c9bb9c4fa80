"""README.md: what it says was found is what the reference run found."""

import re
from functools import cache
from pathlib import Path

import pytest

from experiments.core.results import read
from experiments.show.reports import report_on

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
FLAT = " ".join(README.split())
# experiment, pattern of a finding, text of the page
QUOTED = [
    ("latency", r"flat (\S+) ms, OVS tunnels (\S+) to (\S+) ms", "{} ms without a tunnel, {} to {} ms with"),
    ("latency", r"kernel VXLAN (\S+) ms", "Kernel VXLAN: {} ms"),
    ("latency", r"ARP cache adds (\S+) to (\S+) ms", "a missing ARP entry {} to {} ms"),
    ("mtu", r"GRE (\d+), VXLAN and Geneve (\d+)", "{1} bytes with VXLAN, {0} with GRE"),
    ("migration", r"with gratuitous ARP: .*OVS mesh (\d+) to (\d+) ms", "but {} to {} ms in an"),
    ("migration", r"kernel VXLAN (\d+) to .* OVS l2population \d+ to (\d+)", "a median of {} to {} ms"),
    ("migration", r"still unreachable after (\S+) s", "still unreachable after {} s"),
    ("fanout", r"mesh sends (\d+) copies, l2pop (\d+), multicast .* (\d+)", "sends {} copies of a broadcast. l2population sends {}, multicast {}"),
]  # fmt: skip


@cache
def findings(experiment):
    return report_on(read(ROOT / "results" / "reference" / experiment)).findings


@pytest.mark.parametrize(("experiment", "finding", "text"), QUOTED)
def test_a_figure_of_the_readme_is_that_of_the_reference_run(experiment, finding, text):
    groups = next(m.groups() for line in findings(experiment) if (m := re.search(finding, line)))

    assert text.format(*groups) in FLAT


@pytest.mark.parametrize("experiment", ["latency", "mtu", "fanout"])
def test_the_output_shown_is_that_of_the_reference_run(experiment):
    assert f"\n{findings(experiment)[0]}\n" in README


def test_it_can_be_read_in_a_minute():
    assert len(README.splitlines()) < 150
