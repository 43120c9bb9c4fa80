"""docs/claims.md: its figures are those of the reference run, and its links are files."""

import re
from functools import cache
from pathlib import Path

import pytest

from experiments.core.results import read
from experiments.migration.words import UNKNOWN, WITH, WITHOUT
from experiments.show.reports import report_on

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = ROOT / "results" / "reference"
CLAIMS = " ".join((ROOT / "docs" / "claims.md").read_text("utf-8").split())
# experiment, pattern of a finding, text of the page
QUOTED = [
    ("latency", r"GRE and VXLAN differ by (\S+) to (\S+) ms", "GRE minus VXLAN {} to {} ms"),
    (
        "latency",
        r"ARP cache adds (\S+) to (\S+) ms",
        "a missing ARP entry in the guest +{} to +{} ms",
    ),
    (
        "fanout",
        r"(\d+) of the (\d+) copies in a mesh",
        "a mesh of 16 hosts sends {1} copies, {0} of them unneeded",
    ),
    ("fanout", r"mesh sends \d+ copies, l2pop (\d+)", "l2population sends {}, none unneeded"),
    ("tunnels", r"two by two: (\d+) tunnel ports in a mesh, (\d+)", "16 hosts: {} ports"),
    ("tunnels", r"A GRE or VXLAN port takes (\S+) KiB", "a port costs {} KiB with either"),
    ("tunnels", r"40,000 hosts in a mesh have (\S+) tunnels", "40,000 hosts: {} pairs"),
    ("state", r"gre-mesh and vxlan-mesh .* (\d+ of \d+) counts", "{} counts the same"),
    (
        "mactable",
        r"learns (\S+) MACs untunnelled, (\d+) with tunnels",
        "{} entries without tunnels, {} with",
    ),
    (
        "mactable",
        r"(\S+) misdelivered copies per frame untunnelled",
        "{} misdelivered copies per frame",
    ),
    (
        "throughput",
        r"GRE has (\S+) times .*: ([\d.]+) to ([\d.]+)\)",
        "GRE has {:.2f} times that of VXLAN (range of 4 repeats: {} to {})",
    ),
    (
        "throughput",
        r"kernel VXLAN carries (\S+) \(TCP\) and (\S+) \(UDP\) .*TCP (\S+) to (\S+), UDP (\S+) to (\S+)\)",
        "{} (TCP) and {} (UDP) times the throughput with the largest packets (range of 4 repeats: TCP "
        "{:.2f} to {:.2f}, UDP {:.2f} to {:.2f})",
    ),
    ("segments", r"key (\S+) crossed", "keys up to {} whole"),
    ("segments", r"(\d+ of \d+) answered", "own guest only in {}"),
    (
        "migration",
        r"with gratuitous ARP: .*OVS mesh (\d+) to (\d+) ms",
        "but {} to {} in an Open vSwitch mesh",
    ),
    (
        "migration",
        r"with gratuitous ARP, megaflows flushed: .*OVS mesh (\d+) to (\d+) ms",
        "{} to {} with its megaflows flushed",
    ),
    ("ecmp", r"VXLAN (\d+) to (\d+) on each", "VXLAN {} to {} on each"),
    ("walk", r"(\d+ of \d+) texts", "reads {} texts"),
    ("walk", r"(\d+ of \d+) forged packets", "{} packets of forged GRE"),
    ("filter", r"^(\d+ of \d+) cells", "{} cells match"),
    (
        "filter",
        r"add (\S+) to (\S+) µs \(nft\) or (\S+) to (\S+) µs \(u32\)",
        "cost {} to {} µs (nft) or {} to {} µs (u32)",
    ),
]


@cache
def findings(experiment):
    return report_on(read(REFERENCE / experiment)).findings


def value(text):
    if re.fullmatch(r"\d+", text):
        return int(text)
    return float(text) if re.fullmatch(r"\d+\.\d+", text) else text


@pytest.mark.parametrize(("experiment", "finding", "text"), QUOTED)
def test_a_figure_of_the_page_is_that_of_the_reference_run(experiment, finding, text):
    groups = next(m.groups() for line in findings(experiment) if (m := re.search(finding, line)))

    assert text.format(*map(value, groups)) in CLAIMS


def test_migrations_are_counted_as_in_the_reference_run():
    run = read(REFERENCE / "migration")
    moves, cap_s = run.samples, run.about["settings"]["cap_s"]
    announced, silent, unknown = (
        moves.filter(way=way)["downtime_ms"] for way in (WITH, WITHOUT, UNKNOWN)
    )

    assert f"{moves.height} moves, {moves['mode'].n_unique()} modes" in CLAIMS
    assert f"all {len(announced)} reachable again {_range(announced)}" in CLAIMS
    assert f"all {len(silent)} still unreachable after {cap_s:g} s" in CLAIMS
    assert f"all {len(unknown)} reachable again {_range(unknown)}" in CLAIMS


def _range(downtimes_ms):
    return f"after {downtimes_ms.min():.0f} to {downtimes_ms.max():.0f} ms"


def test_every_link_of_the_page_is_a_file():
    text = (ROOT / "docs" / "claims.md").read_text("utf-8")
    links = re.findall(r"\]\(([^)#:]+)\)", text)

    assert links
    assert all((ROOT / "docs" / link).exists() for link in links)
