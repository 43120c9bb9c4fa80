"""`overlaylab run fanout` in real labs: every cell matches its prediction."""

import pytest

from experiments.measure.captures import decoded
from tests.experiments.running import quick_run

pytestmark = pytest.mark.smoke


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    return quick_run(
        tmp_path_factory,
        "fanout",
        "--modes",
        "gre-mesh,vxlan-l2pop-arp,kvxlan-multicast",
        "--hosts",
        "3",
    )


def test_all_cells_match_in_the_report(done):
    report = done.report

    assert done.stderr == ""
    assert report["findings"][0] == (
        "3 hosts, 2 with a member, a broadcast: gre-mesh sends 2 copies (1 unneeded), "
        "vxlan-l2pop-arp and kvxlan-multicast both send 1 copy"
    )
    assert "24 of 24 cells match their prediction exactly (24 frames)" in report["findings"]
    assert {each["result"] for each in report["summaries"]} == {"matches"}
    assert {each["hosts"] for each in report["summaries"]} == {3}
    assert {each["found"] for each in report["predictions"]} == {"8 of 8 cells match"}


def test_samples_have_the_counts(done):
    sent = {
        (row["mode"], row["share"], row["kind"]): (
            row["copies_sent"],
            row["unneeded"],
            row["delivered"],
        )
        for row in done.run.samples.rows(named=True)
    }
    assert sent["gre-mesh", 50, "broadcast"] == (2, 1, 1)
    assert sent["gre-mesh", 100, "unknown unicast"] == (2, 0, 2)
    assert sent["vxlan-l2pop-arp", 50, "ARP unknown"] == (1, 0, 1)
    assert sent["vxlan-l2pop-arp", 100, "ARP known"] == (0, 0, 0)
    assert sent["kvxlan-multicast", 50, "broadcast"] == (1, 0, 1)
    assert sent["kvxlan-multicast", 100, "unknown unicast"] == (1, 0, 2)
    answered = {
        (row["mode"], row["kind"]) for row in done.run.samples.rows(named=True) if row["answered"]
    }
    assert answered == {("vxlan-l2pop-arp", "ARP known")}
    assert all(
        row["counted"] == row["captured"] for row in done.run.tables["interfaces"].rows(named=True)
    )


def test_tshark_finds_in_the_raw_captures_what_was_counted(done):
    folder = next(done.run.directory.glob("raw/*gre-mesh*"))
    files = {path.stem: path for path in folder.glob("*.pcapng")}

    assert len(files) == 3
    found = decoded(files, ("gre.key",), "gre && frame contains 88:b5")
    at_receivers = [p for p in found if p["node"] != "controller"]
    # Two kinds and an end-of-test frame on each of two networks, to two hosts each.
    assert len(at_receivers) == 2 * 2 * 3
    assert sum(path.stat().st_size for path in files.values()) < 200_000


def test_predictions_are_recorded_and_figures_are_drawn(done):
    assert len(done.run.about["predicted"]) == 24
    assert (done.run.directory / "fanout.png").read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    assert b"<svg" in (done.run.directory / "fanout.svg").read_bytes()
    assert (
        "| gre-mesh | 3 | 2 | any | 2 | 2 | 1 | 1 | 4 of 4 |"
        in (done.run.directory / "report.md").read_text()
    )
