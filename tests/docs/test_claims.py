"""docs/claims.md: its figures are those of the reference run, its links and names lead somewhere."""

import re
from functools import cache
from pathlib import Path

import pytest

from experiments.core.results import read
from experiments.show.reports import report_on

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = ROOT / "results" / "reference"
CLAIMS = " ".join((ROOT / "docs" / "claims.md").read_text("utf-8").split())
# experiment, what its findings say, how the page says it
QUOTED = [
    ("latency", r"gre minus vxlan: (\S+) to (\S+) ms", "GRE minus VXLAN {} to {} ms"),
    ("latency", r"guest-arp: (\S+) to (\S+) ms", "a guest without the MAC {} to {} ms"),
    (
        "fanout",
        r"mesh sends (\d+) copies, (\d+) in vain",
        "in a mesh {} copies of 16 hosts, {} in vain",
    ),
    ("fanout", r"l2pop sends (\d+)", "With l2population {} and 0"),
    ("tunnels", r"two by two: (\d+) tunnel ports in a mesh, (\d+)", "16 hosts: {} ports"),
    ("tunnels", r"A gre port takes (\S+) KiB", "a port costs {} KiB with either"),
    ("tunnels", r"A vxlan port takes (\S+) KiB", "a port costs {} KiB with either"),
    ("tunnels", r"40,000 hosts in a mesh have (\S+) tunnels", "40,000 hosts: {} pairs"),
    ("state", r"gre-mesh and vxlan-mesh: (\d+ of \d+) counts", "{} counts the same"),
    (
        "mactable",
        r"flat (\d+), vlan \d+, gre-mesh (\d+), vxlan-l2pop",
        "{0:,} entries untunnelled, {1} with",
    ),
    (
        "mactable",
        r"of (\d+) frames, copies astray: flat (\d+)",
        "{1:,} copies astray of {0} frames",
    ),
    (
        "throughput",
        r"gre to vxlan: x .* pairings, ([\d.]+) to ([\d.]+)\)",
        "GRE carries {} to {} times",
    ),
    (
        "throughput",
        r"^kernel to user space: x .* pairings, ([\d.]+) to ([\d.]+)\)",
        "carries {:.1f} to {:.1f} times",
    ),
    ("segments", r"key (\S+) crossed", "keys up to {} whole"),
    ("segments", r"(\d+ of \d+) answered", "own guest alone in {}"),
    (
        "migration",
        r"^announced: .*OVS mesh (\d+)\.\.(\d+) ms",
        "but {} to {} in an Open vSwitch mesh",
    ),
    (
        "migration",
        r"^announced, uncached: .*OVS mesh (\d+)\.\.(\d+) ms",
        "{} to {} with those dropped",
    ),
    ("ecmp", r"vxlan (\d+) to (\d+)", "VXLAN {} to {} on each"),
    ("walk", r"(\d+ of \d+) texts", "reads {} texts"),
    ("walk", r"(\d+ of \d+) forged packets", "{} packets of forged GRE"),
    ("filter", r"^(\d+ of \d+) cells", "{} cells alike"),
    (
        "filter",
        r"add (\S+) to (\S+) µs by nft and (\S+) to (\S+) µs by u32",
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


@pytest.mark.parametrize(("experiment", "found", "said"), QUOTED)
def test_a_figure_is_the_reference_runs(experiment, found, said):
    groups = next(m.groups() for line in findings(experiment) if (m := re.search(found, line)))

    assert said.format(*map(value, groups)) in CLAIMS


def test_moves_are_counted_as_the_reference_run_has_them():
    run = read(REFERENCE / "migration")
    rows, cap_s = run.rows, run.about["settings"]["cap_s"]
    ways = {
        way: [row for row in rows if row["way"] == way]
        for way in ("announced", "silent", "silent, unheard")
    }
    dark = [row["dark_ms"] for row in ways["announced"]]
    unlearned = [row["dark_ms"] for row in ways["silent, unheard"]]

    assert f"{len(rows)} moves, {len({row['mode'] for row in rows})} modes" in CLAIMS
    assert f"all {len(dark)} back, after {min(dark):.0f} to {max(dark):.0f} ms" in CLAIMS
    assert f"all {len(ways['silent'])} still dark after {cap_s:g} s" in CLAIMS
    assert (
        f"all {len(unlearned)} back after {min(unlearned):.0f} to {max(unlearned):.0f} ms" in CLAIMS
    )


def test_every_link_of_the_page_is_a_file():
    text = (ROOT / "docs" / "claims.md").read_text("utf-8")
    links = re.findall(r"\]\(([^)#:]+)\)", text)

    assert links
    assert all((ROOT / "docs" / link).exists() for link in links)
