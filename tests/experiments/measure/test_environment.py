"""The recorded facts about the machine, from real output of the kernel and of tools."""

import subprocess

import pytest

from experiments.measure.environment import (
    first_version,
    limits,
    machine,
    parse_offloads,
    read_sysctls,
    source,
    virtualisation,
)
from experiments.show.compare import comparable


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
        ("Dumpcap (Wireshark) 4.0.17 (Git v4.0.17 packaged as 4.0.17-0+deb12u3).", "4.0.17"),
        ("ip utility, iproute2-6.1.0, libbpf 1.1.2\n", "6.1.0"),
        ("ethtool version 6.1\n", "6.1"),
        ("iperf 3.12 (cJSON 1.7.15)\n", "3.12"),
        ("", None),
    ],
)
def test_versions_are_found_in_the_output_of_tools(text, version):
    assert first_version(text) == version


def git(folder, *argv):
    who = ("-c", "user.name=t", "-c", "user.email=t@example.org")
    subprocess.run(["git", "-C", str(folder), *who, *argv], check=True, capture_output=True)


def test_the_revision_and_the_number_of_changed_files(tmp_path):
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


def test_outside_git_the_revision_is_none(tmp_path):
    assert source(tmp_path) == {"git_revision": None, "git_dirty": None}


@pytest.fixture
def few_tools(monkeypatch):
    tools = {"none": ("no-such-program-at-all",)}
    monkeypatch.setattr("experiments.measure.environment.TOOLS", tools)


def test_a_tool_that_is_missing_has_no_version(few_tools):
    found = machine()

    assert found["tools"] == {"none": None}
    assert found["cpus"] >= 1
    assert len(found["load_average"]) == 3
    assert found["sysctls"]["net.core.netdev_max_backlog"].isdecimal()


def test_ryu_has_a_version_only_where_it_ran(few_tools):
    assert "ryu" not in machine("os-ken")["packages"]
    assert "ryu" in machine("ryu")["packages"]


@pytest.mark.parametrize(
    ("cpuinfo", "detected", "report"),
    [
        ("flags\t\t: fpu hypervisor lahf_lm\n", "docker\n", "hypervisor, docker"),
        ("flags\t\t: fpu hypervisor lahf_lm\n", "", "hypervisor"),
        ("flags\t\t: fpu lahf_lm\n", "none\n", None),
        ("model name\t: hypervisor\n", "kvm\n", "kvm"),
    ],
)
def test_virtualisation_is_found_by_cpu_flag_and_systemd(cpuinfo, detected, report):
    assert virtualisation(cpuinfo, detected) == report


def test_kernel_parameters_that_do_not_exist_are_left_out():
    found = read_sysctls(("net.ipv4.tcp_rmem", "net.ipv4.no_such_thing"))

    assert list(found) == ["net.ipv4.tcp_rmem"]
    assert len(found["net.ipv4.tcp_rmem"].split(" ")) == 3


def groups(root, own, **files):
    """A tree of control groups, `files` by path with __ for /."""
    for path, text in files.items():
        file = root / path.replace("__", "/").replace("_DOT_", ".")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    (root / "own").write_text(own)
    return limits(root, root / "own")


def test_the_smallest_limit_of_all_groups_counts_in_version_2(tmp_path):
    found = groups(
        tmp_path,
        "0::/outer/inner\n",
        outer__cpu_DOT_max="150000 100000\n",
        outer__inner__cpu_DOT_max="max 100000\n",
        outer__memory_DOT_max="1073741824\n",
        outer__inner__memory_DOT_max="536870912\n",
    )

    assert found == {"cpus": 1.5, "memory_mib": 512}


def test_in_version_1_minus_one_and_a_huge_number_mean_no_limit(tmp_path):
    own = "5:memory:/a\n2:cpu,cpuacct:/a\n"
    free = groups(
        tmp_path,
        own,
        cpu__a__cpu_DOT_cfs_quota_us="-1\n",
        memory__a__memory_DOT_limit_in_bytes="9223372036854771712\n",
    )
    bound = groups(
        tmp_path,
        own,
        cpu__cpu_DOT_cfs_quota_us="50000\n",
        cpu__cpu_DOT_cfs_period_us="100000\n",
        memory__memory_DOT_limit_in_bytes="268435456\n",
    )

    assert free == {"cpus": None, "memory_mib": None}
    assert bound == {"cpus": 0.5, "memory_mib": 256}


def test_without_groups_there_is_no_limit(tmp_path):
    assert limits(tmp_path, tmp_path / "none") == {"cpus": None, "memory_mib": None}


MACHINE = {
    "host": "one",
    "cpu": "Xeon",
    "cpus": 2,
    "kernel": "6.18",
    "machine": "x86_64",
    "governor": None,
    "load_average": [0.1, 0.2, 0.3],
    "limits": {"cpus": None},
    "tools": {"ovs": "3.1.0", "ping": "1"},
}


@pytest.mark.parametrize(
    "other",
    [
        {"cpu": "EPYC"},
        {"cpus": 4},
        {"kernel": "6.1"},
        {"governor": "performance"},
        {"limits": {"cpus": 1.0}},
        {"tools": {"ovs": "3.3.0", "ping": "1"}},
    ],
)
def test_different_machines_are_not_comparable(other):
    assert comparable({"machine": MACHINE}) != comparable({"machine": {**MACHINE, **other}})


def test_the_same_machine_at_another_time_is_comparable():
    later = {**MACHINE, "load_average": [3, 2, 1], "memory_mib": 1}

    assert comparable({"machine": MACHINE}) == comparable({"machine": later})


def test_another_datapath_is_not_comparable():
    netdev, system = (
        comparable({"machine": MACHINE, "lab": {"datapath": which, "app": "os-ken"}})
        for which in ("netdev", "system")
    )

    assert netdev != system
    assert netdev["datapath"] == "netdev"


def test_facts_that_an_older_run_did_not_record_are_none():
    assert set(comparable({}).values()) == {None}
