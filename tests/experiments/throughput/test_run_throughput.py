"""`overlaylab run throughput` in real labs: what arrives in packets of each size is counted."""

import pytest

from tests.experiments.running import quick_run

pytestmark = pytest.mark.smoke


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    return quick_run(tmp_path_factory, "throughput", "--modes", "gre-mesh")


def test_something_arrives_in_packets_of_each_size(done):
    sizes = {(row["protocol"], row["ip_bytes"]) for row in done.run.rows_of()}

    assert sizes == {(kind, size) for kind in ("tcp", "udp") for size in (128, 576, 1458)}
    assert all(row["goodput_mbit_s"] > 0 for row in done.run.rows_of())


def test_a_gigabyte_costs_cpu_time_and_the_switches_use_some_of_it(done):
    assert all(0 < row["switch_s_per_gb"] < row["cpu_s_per_gb"] for row in done.run.rows_of())


def test_udp_was_sent_in_payloads_of_the_wanted_size(done):
    for row in done.run.rows_of():
        if row["protocol"] == "udp":
            assert row["sent_bytes"] % (row["ip_bytes"] - 28) == 0
