"""`segments` in real labs, also with flows that mix two networks."""

from contextlib import nullcontext

import pytest

from controller.model.names import int_port_name
from experiments.core.experiment import Context
from experiments.segments import labs
from experiments.segments.probe import Segments
from tests.experiments.overriding import overriding
from topologies.lab import started
from topologies.scenario.load import load

pytestmark = pytest.mark.root

BASE = labs.narrowed(load("article").overlay)
POINT = {"mode": "gre-mesh", "networks": 3}


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OVERLAYLAB_RUN", str(tmp_path_factory.mktemp("labs")))
        with started(labs.staged(BASE, POINT)) as lab:
            yield lab


@pytest.fixture
def measure(tmp_path):
    def measure(lab, seed):
        context = Context(
            keep=lambda *_: None,
            path=lambda name: tmp_path / f"{seed}-{name}",
            watch=nullcontext,
            say=lambda _: None,
            seed=seed,
        )
        return Segments(wait_s=1.0)(lab, POINT, context)

    return measure


def test_networks_are_isolated_and_a_mix_up_is_counted(lab, measure):
    """A flow on the second host puts the key of a network into the local VLAN of another one."""
    (row,) = measure(lab, 1).rows
    assert {**POINT, **row} == labs.predicted(BASE, (POINT,))[0]

    first, second = lab.overlay.networks[:2]
    host = lab.overlay.hosts[1].name
    to_second = (
        f"push_vlan:0x8100,set_field:{4096 + _tag(lab, second, host)}->vlan_vid,goto_table:10"
    )
    key = f"table=3,tun_id={first.segmentation_id}"
    with overriding(lab, host, "br-tun", key, to_second):
        mixed = measure(lab, 2)
    one, other, third = mixed.more["networks"]
    assert one["leaks"] > 0
    assert one["reached"] == 0
    assert (other["leaks"], other["reached"]) == (0, 1)
    # Replies for the first network's guest arrive in the second one, in addition to its own.
    assert [each["answered"] for each in (one, other, third)] == [0, 0, 1]
    assert mixed.rows[0]["isolated"] == 2
    assert mixed.rows[0]["labelled"] == 3, (
        "ids on the wire are right: only the second host mixes the networks"
    )


def _tag(lab, network, host):
    port = next(p for p in lab.overlay.ports if (p.network_id, p.host) == (network.id, host))
    return int(lab.run(host, "ovs-vsctl", "get", "Port", int_port_name(port.id), "tag"))


def test_a_reply_from_a_guest_of_another_network_is_counted(lab, measure):
    """The first host answers ARP requests in the first network with the MAC of another network."""
    first, second = lab.overlay.networks[:2]
    host = lab.overlay.hosts[0].name
    tag = _tag(lab, first, host)
    stranger = next(p for p in lab.overlay.ports if p.network_id == second.id and p.host != host)
    mac = stranger.mac_address.replace(":", "")
    request = f"table=0,arp,arp_op=1,arp_tpa={stranger.ipv4[0]},dl_vlan={tag}"
    answer = (
        "move:NXM_OF_ETH_SRC[]->NXM_OF_ETH_DST[],"
        f"set_field:{stranger.mac_address}->eth_src,set_field:2->arp_op,"
        "move:NXM_NX_ARP_SHA[]->NXM_NX_ARP_THA[],move:NXM_OF_ARP_SPA[]->NXM_OF_ARP_TPA[],"
        f"load:0x{mac}->NXM_NX_ARP_SHA[],set_field:{stranger.ipv4[0]}->arp_spa,IN_PORT"
    )
    with overriding(lab, host, "br-tun", request, answer):
        mixed = measure(lab, 3)
    assert [each["answered"] for each in mixed.more["networks"]] == [0, 1, 1]
    assert mixed.rows[0]["answered"] == 2
    assert mixed.rows[0]["leaks"] == 0, "the frames themselves do not leak"


def test_more_networks_than_a_socket_may_join_groups_by_default(measure, tmp_path, monkeypatch):
    """Linux lets a socket join 20, and all VXLAN devices of a port share one."""
    monkeypatch.setenv("OVERLAYLAB_RUN", str(tmp_path / "labs"))
    point = {"mode": "kvxlan-multicast", "networks": 22}
    with started(labs.staged(BASE, point)) as lab:
        (row,) = measure(lab, 1).rows

    assert {**point, **row} == labs.predicted(BASE, (point,))[0]
