"""`overlaylab run segments` in real labs: every cell matches its prediction."""

import pytest

from tests.experiments.running import quick_run

pytestmark = pytest.mark.smoke


def test_networks_of_each_type_are_isolated_and_the_greatest_key_is_on_the_wire(tmp_path_factory):
    done = quick_run(tmp_path_factory, "segments", "--modes", "flat,vlan,gre-mesh")
    report, run = done.report, done.run

    assert report["findings"][0] == "Isolated networks: 8 of 8 with flat, vlan and gre-mesh"
    assert set(report["findings"]) >= {
        "8 networks of each type at once, all with the same addresses: all isolated, 0 frames leaked",
        "ARP for the same address in each network: 24 of 24 answered only by its own guest",
        "GRE: key 4,294,967,295 crossed the wire unchanged; the article says 2²⁴ ids",
    }
    assert {each["result"] for each in report["summaries"]} == {"matches"}
    wires = {(row["mode"], row["on_wire"]) for row in run.tables["networks"].rows(named=True)}
    assert {("gre-mesh", str(2**32 - 1)), ("vlan", "4094"), ("flat", "ext-physnet8")} <= {
        (mode, str(name)) for mode, name in wires
    }
    assert done.has_picture("segments")
