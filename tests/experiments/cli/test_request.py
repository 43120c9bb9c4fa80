"""What the command line asks of real experiments, before a lab is raised."""

from pathlib import Path

import pytest

from controller.model.errors import UsageError
from experiments.cli.request import Asked, experiments_of, request_of

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


def asked(name, **options):
    (experiment,) = experiments_of((name,))
    return request_of(experiment, Asked(**{**PLAIN, **options}), Path(), name)


def test_modes_of_an_experiment_that_has_none_are_refused_not_forgotten():
    with pytest.raises(UsageError) as caught:
        asked("walk", modes="gre-mesh")
    assert str(caught.value) == (
        "experiment 'walk': --modes gre-mesh; allowed: none: it varies tunnel. "
        "Leave --modes out, or name experiments that have modes."
    )


def test_a_level_of_an_experiments_own_can_be_named():
    factors = asked("segments", modes="local, gre-mesh").question.factors
    assert factors["mode"] == ("local", "gre-mesh")
    with pytest.raises(UsageError, match="'local'"):
        asked("state", modes="local")


def test_state_is_not_told_apart_from_what_an_ipv6_host_says_of_itself():
    with pytest.raises(UsageError, match=r"IPv6 VTEPs \(node1, node2, node3\).*MLD"):
        asked("state", scenario="ipv6-underlay")


@pytest.mark.parametrize(("name", "measured"), [("state", 3), ("segments", 2), ("migration", 3)])
def test_hosts_that_would_not_be_measured_are_refused(name, measured):
    with pytest.raises(UsageError) as caught:
        asked(name, hosts=5)
    assert str(caught.value) == (
        f"experiment {name!r}: --hosts 5; allowed: none: it always measures {measured} hosts. "
        "Leave --hosts out, or name another experiment."
    )
    assert asked(name, hosts=measured).overlay


@pytest.mark.parametrize("name", ["latency", "mtu", "fanout", "throughput", "tunnels", "mactable"])
def test_hosts_that_are_measured_are_taken(name):
    request = asked(name, hosts=5)
    point = request.question.points()[0]
    assert len(request.experiment.stage(request.overlay, point).hosts) == 5
