"""`overlaylab run throughput`, for real: what arrives is counted, in packets of the size asked."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from experiments.results import read

ROOT = Path(__file__).resolve().parents[2]
START = "import sys; from experiments.cli.main import main; sys.exit(main())"


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    if os.geteuid() != 0:
        pytest.skip("needs root")
    out, labs = tmp_path_factory.mktemp("out"), str(tmp_path_factory.mktemp("labs"))
    argv = ("throughput", "--quick", "--modes", "gre-mesh", "--seed", "3", "--format", "json",
            "--out", str(out))  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", START, "run", *argv], cwd=ROOT, capture_output=True, text=True,
        check=False, timeout=110, env={**os.environ, "OVERLAYLAB_RUN": labs},
    )  # fmt: skip
    assert done.returncode in {0, 3}, done.stderr + done.stdout  # 3: the machine was too busy
    (told,) = json.loads(done.stdout)["runs"]
    return read(Path(told["directory"]))


def test_something_arrives_in_packets_of_each_size(run):
    sizes = {(row["protocol"], row["ip_bytes"]) for row in run.rows}

    assert sizes == {(kind, size) for kind in ("tcp", "udp") for size in (128, 576, 1458)}
    assert all(row["goodput_mbit_s"] > 0 for row in run.rows)


def test_a_gigabyte_costs_processor_time_and_some_of_it_is_the_switches(run):
    assert all(0 < row["switch_s_per_gb"] < row["cpu_s_per_gb"] for row in run.rows)


def test_udp_was_sent_in_payloads_of_the_size_asked(run):
    for row in run.rows:
        if row["protocol"] == "udp":
            assert row["sent_bytes"] % (row["ip_bytes"] - 28) == 0
