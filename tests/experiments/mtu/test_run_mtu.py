"""`overlaylab run mtu --quick` in real labs: its files are complete and reported; no timing."""

import pytest

from experiments.mtu.report import build_report
from tests.experiments.running import quick_run

pytestmark = pytest.mark.smoke


def test_a_quick_run_finds_the_largest_packets_exactly(tmp_path_factory):
    done = quick_run(tmp_path_factory, "mtu", "--modes", "vlan,gre-mesh")
    found, directory = done.run, done.run.directory

    assert found.about["status"] == "complete"
    largest = {row["mode"]: row["largest_bytes"] for row in found.rows_of()}
    assert largest == {"vlan": 1500, "gre-mesh": 1458}
    assert {row["mode"]: row["largest_bytes"] for row in found.about["predicted"]} == largest
    assert all(found.rows_of(name) for name in ("outcomes", "tcp", "goodput", "pings"))
    for picture in build_report(found).pictures:
        assert done.has_picture(picture.name)
    assert len(list(directory.glob("raw/*/ping-*.txt"))) == len(found.rows_of("pings"))
    assert len(list(directory.glob("raw/*/tcp-right.json"))) == 2
    sysctls = [measured["sysctls"] for measured in found.about["measured"]]
    assert {each["net.ipv4.tcp_mtu_probing"] for each in sysctls} == {0}
