"""From the command line to a request of a real experiment, before a lab is started."""

from contextlib import suppress
from pathlib import Path

import pytest

from controller.model.errors import UsageError
from controller.model.modes import MODES
from experiments.cli.request import Options, experiments_of, request_of
from experiments.core import registry

PLAIN = {
    "scenario": None,
    "modes": None,
    "hosts": None,
    "repeats": None,
    "seed": 1,
    "quick": True,
    "out": Path(),
    "app": "os-ken",
    "datapath": "netdev",
    "output": "text",
}


def request(name, **options):
    (experiment,) = experiments_of((name,))
    return request_of(experiment, Options(**{**PLAIN, **options}))


def test_modes_are_refused_by_an_experiment_without_modes():
    with pytest.raises(UsageError) as caught:
        request("walk", modes="gre-mesh")
    assert str(caught.value) == (
        "experiment 'walk': --modes gre-mesh; allowed: no --modes (its factors: tunnel). "
        "Leave --modes out, or name experiments that have modes."
    )


def test_a_level_that_only_one_experiment_has_can_be_named():
    factors = request("segments", modes="local, gre-mesh").question.factors
    assert factors["mode"] == ("local", "gre-mesh")
    with pytest.raises(UsageError, match="'local'"):
        request("state", modes="local")


def test_named_modes_are_recorded_in_their_order_each_once():
    found = request("latency", modes="vxlan-mesh, gre-mesh,vxlan-mesh")
    assert found.named_modes == found.question.factors["mode"] == ("vxlan-mesh", "gre-mesh")
    assert request("latency").named_modes == ()


@pytest.mark.parametrize(
    ("experiment", "modes", "where", "do"),
    [
        ("latency", "gre-mesh,vxlan-mehs", "--modes: 'vxlan-mehs'", "Did you mean `vxlan-mesh`?"),
        ("segments", "gre-mesh,locl", "--modes: 'locl'", "Did you mean `local`?"),
        ("latency", "", "--modes: ''", "Name modes with a comma between them."),
        ("fanout", "flat,gre-mesh", "flat, 2 hosts: not with scenario 'article'", "Name some"),
        ("ecmp", "kvxlan-multicast", "kvxlan-multicast, 2 spines: not with", "Name some"),
    ],
)
def test_a_mode_that_cannot_be_measured_is_refused_with_those_that_can(
    experiment, modes, where, do
):
    with pytest.raises(UsageError) as caught:
        request(experiment, modes=modes)

    message = str(caught.value)
    assert where in message
    assert do in message
    assert len(message.splitlines()) == 1
    allowed = message.rpartition("allowed: ")[2]
    assert "vxlan-mesh, vxlan-l2pop" in allowed
    assert ("kvxlan-multicast" in allowed) == (experiment != "ecmp")
    assert ("flat" in allowed) == (experiment in {"latency", "segments"})


MODED = [name for name in registry.names() if "mode" in registry.question(name).factors]


@pytest.mark.parametrize("experiment", MODED)
def test_every_mode_is_planned_or_refused(experiment):
    """Its labs are staged and its cells predicted, before a lab is started."""
    planned = 0
    for mode in map(str, MODES):
        with suppress(UsageError):
            planned += bool(request(experiment, modes=mode))
    assert planned > len(MODES) / 2


def test_state_refuses_ipv6_vteps():
    with pytest.raises(UsageError, match=r"IPv6 VTEPs \(node1, node2, node3\).*MLD"):
        request("state", scenario="ipv6-underlay")


@pytest.mark.parametrize(("name", "measured"), [("state", 3), ("segments", 2), ("migration", 3)])
def test_a_number_of_hosts_that_is_not_measured_is_refused(name, measured):
    with pytest.raises(UsageError) as caught:
        request(name, hosts=5)
    assert str(caught.value) == (
        f"experiment {name!r}: --hosts 5; allowed: none: it always measures {measured} hosts. "
        "Leave --hosts out, or name another experiment."
    )
    assert request(name, hosts=measured).overlay


@pytest.mark.parametrize("name", ["latency", "mtu", "fanout", "throughput", "tunnels", "mactable"])
def test_a_number_of_hosts_that_is_measured_is_accepted(name):
    found = request(name, hosts=5)
    point = found.question.points()[0]
    assert len(found.experiment.stage(found.overlay, point).hosts) == 5


WITH_PORT = """
agent: {{tunnel_types: [vxlan], vxlan_udp_port: {port}}}
hosts: [{{name: one, local_ip: 192.0.2.1}}, {{name: two, local_ip: 192.0.2.2}}]
networks:
  - {{name: red, network_type: vxlan, segmentation_id: 7, subnets: [{{cidr: 10.0.0.0/24}}]}}
ports: [{{server: a, host: one, network: red}}, {{server: b, host: two, network: red}}]
"""


def test_another_udp_port_of_vxlan_is_refused(tmp_path):
    """The captures of an experiment could not be read."""
    path = tmp_path / "other.yaml"
    path.write_text(WITH_PORT.format(port=4789))
    assert request("latency", scenario=str(path)).overlay.hosts
    path.write_text(WITH_PORT.format(port=8472))
    with pytest.raises(UsageError, match="vxlan_udp_port 8472; allowed: 4789 in experiments"):
        request("latency", scenario=str(path))
