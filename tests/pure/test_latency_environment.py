"""What is recorded of the machine, from what the kernel and the tools really print."""

import subprocess

import pytest

from experiments.environment import (
    CpuMeter,
    cpu_fractions,
    first_version,
    machine,
    parse_cpu,
    parse_offloads,
    source,
)

STAT = "cpu  22882 0 4336 318369 574 0 101 756 0 0\ncpu0 6735 0 1804 164559 35 0 22 394 0 0\n"


def test_the_first_line_of_proc_stat_is_all_processors():
    assert parse_cpu(STAT) == (22882, 0, 4336, 318369, 574, 0, 101, 756)


def test_idle_includes_waiting_for_a_disk_and_steal_stands_apart():
    after = (22932, 0, 4336, 318409, 584, 0, 101, 776)

    # 50 user + 40 idle + 10 iowait + 20 steal = 120
    assert cpu_fractions(parse_cpu(STAT), after) == {"idle": 0.4167, "steal": 0.1667}


def test_the_meter_measures_from_its_making(tmp_path):
    stat = tmp_path / "stat"
    stat.write_text(STAT)
    meter = CpuMeter(stat)
    stat.write_text(STAT.replace("318369", "318469").replace("22882", "22982"))

    assert meter.stop() == {"idle": 0.5, "steal": 0.0}


def test_offloads_that_can_be_changed_or_are_on():
    text = (
        "Features for eth0:\nrx-checksumming: on\ntx-checksumming: off\n\ttx-checksum-ipv4: off [fixed]\n"
        "\ttx-checksum-ip-generic: off\nhighdma: on [fixed]\ntx-udp-segmentation: off [requested on]\n"
    )

    assert parse_offloads(text) == {
        "rx-checksumming": True,
        "tx-checksumming": False,
        "tx-checksum-ip-generic": False,
        "highdma": True,
        "tx-udp-segmentation": False,
    }


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("ovs-vswitchd (Open vSwitch) 3.1.0\n", "3.1.0"),
        ("2.3.0\n", "2.3.0"),
        ("ping from iputils 20221126\nlibcap: yes", "20221126"),
        ("ping from iputils s20190709", "20190709"),
        ("", None),
    ],
)
def test_versions_as_the_tools_tell_them(text, version):
    assert first_version(text) == version


def git(folder, *argv):
    who = ("-c", "user.name=t", "-c", "user.email=t@example.org")
    subprocess.run(["git", "-C", str(folder), *who, *argv], check=True, capture_output=True)


def test_revision_and_dirt(tmp_path):
    git(tmp_path, "init", "-q")
    (tmp_path / "a").write_text("1")
    git(tmp_path, "add", "a")
    git(tmp_path, "commit", "-qm", "x")

    clean = source(tmp_path)
    (tmp_path / "a").write_text("2")
    dirty = source(tmp_path)

    assert len(clean["git_revision"]) == 40
    assert clean["git_dirty"] is False
    assert dirty == {**clean, "git_dirty": True, "git_changed_files": 1}


def test_outside_git_the_revision_is_unknown_not_wrong(tmp_path):
    assert source(tmp_path) == {"git_revision": None, "git_dirty": None}


def test_a_tool_that_is_missing_has_no_version(monkeypatch):
    monkeypatch.setattr("experiments.environment.TOOLS", {"none": ("no-such-program-at-all",)})

    found = machine()

    assert found["tools"] == {"none": None}
    assert found["cpus"] >= 1
