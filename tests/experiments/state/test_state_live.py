"""Tunnels in a real lab: they send nothing by themselves, and a packet sent for them is counted."""

from contextlib import nullcontext
from dataclasses import replace

import pytest

from controller.model.errors import MeasureError
from controller.model.names import underlay_mac
from experiments.core.experiment import Context
from experiments.measure.frames import ethernet
from experiments.measure.sockets import senders
from experiments.state import conntrack, words
from experiments.state.labs import predicted, staged
from experiments.state.probe import EXPERIMENT as STATE
from experiments.state.probe import State
from topologies.lab import started
from topologies.scenario.load import load

pytestmark = pytest.mark.root

IPV4 = 0x0800
# An IPv4 header with protocol 47, and a GRE header with nothing in it: a keepalive, as some
# routers send them (nobody checks the checksums here).
KEEPALIVE = bytes.fromhex("4500001800000000402f0000c000020ac000020b00000000")
POINT = {"mode": "gre-mesh"}


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OVERLAYLAB_RUN", str(tmp_path_factory.mktemp("labs")))
        with started(staged(load("article").overlay, POINT)) as lab:
            yield lab


def counts(lab, tmp_path, probe, point=POINT):
    context = Context(
        keep=lambda *_: None,
        path=lambda name: tmp_path / name,
        watch=nullcontext,
        say=lambda _: None,
        seed=1,
    )
    return {(row["what"], row["moment"]): row["count"] for row in probe(lab, point, context).rows}


def predicted_counts():
    rows = predicted(load("article").overlay, (POINT,))
    return {(row["what"], row["moment"]): row["count"] for row in rows}


def test_every_count_is_as_predicted(lab, tmp_path):
    found = counts(lab, tmp_path, replace(STATE.quick, idle_s=0.3))
    assert {key: found[key] for key in predicted_counts()} == predicted_counts()


def test_a_packet_that_a_tunnel_sends_while_idle_is_counted(lab, tmp_path, monkeypatch):
    here, there, _ = lab.overlay.hosts

    def send_keepalive(_):
        frame = ethernet(underlay_mac(there.local_ip), underlay_mac(here.local_ip), IPV4, KEEPALIVE)
        with senders(lab.pid(here.name), ("underlay",)) as send:
            send["underlay"](frame)

    monkeypatch.setattr(State, "_idle", send_keepalive)
    found = counts(lab, tmp_path, STATE.quick)

    assert found[words.TUNNEL, words.SET_UP] == 1
    rest = {
        key: count
        for key, count in predicted_counts().items()
        if key != (words.TUNNEL, words.SET_UP)
    }
    assert {key: found[key] for key in rest} == rest


def test_only_packets_that_the_kernel_sends_have_conntrack_entries(tmp_path, monkeypatch):
    monkeypatch.setenv("OVERLAYLAB_RUN", str(tmp_path / "labs"))
    point = {"mode": "kvxlan-mesh"}
    with started(staged(load("article").overlay, point)) as lab:
        found = counts(lab, tmp_path, replace(STATE.quick, idle_s=0.3), point)
        assert found[words.CONNTRACK, words.BEFORE] == 0
        assert found[words.CONNTRACK, words.AFTER] == 2  # one for each remote VTEP

        _, without_rule, other = lab.overlay.hosts
        with pytest.raises(MeasureError, match="no entry of a ping"):
            conntrack.assert_enabled(lab, without_rule.name, str(other.local_ip))
