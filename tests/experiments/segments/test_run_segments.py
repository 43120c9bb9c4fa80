"""`overlaylab run segments`, for real and through the command line: every cell is as foretold."""

import pytest

from tests.experiments.running import quick_run

pytestmark = pytest.mark.smoke


def test_networks_of_each_type_are_apart_and_the_last_key_is_on_the_wire(tmp_path_factory):
    done = quick_run(tmp_path_factory, "segments", "--modes", "flat,vlan,gre-mesh")
    report, run = done.report, done.run

    assert report["findings"] == [
        "8 networks of each type at once, the same addresses in all: all reach their own, 0 frames leaked",
        "ARP for the same address in each: 24 of 24 answered by their own guest alone",
        "GRE: key 4,294,967,295 crossed the wire whole; the article says 2^24 ids",
    ]
    assert all(each["is"] == "equal" for each in report["summaries"])
    wires = {(row["mode"], row["on_wire"]) for row in run.rows_of("networks")}
    assert {("gre-mesh", str(2**32 - 1)), ("vlan", "4094"), ("flat", "ext-physnet8")} <= {
        (mode, str(name)) for mode, name in wires
    }
    assert done.has_picture("segments")
