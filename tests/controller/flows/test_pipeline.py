"""A flow outside its table's declaration cannot be made."""

import pytest

from controller.flows.actions import Goto
from controller.flows.pipeline import RELEASES, Flow, Priority, Tun, match, pipeline_of
from controller.model.errors import PipelineError


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("bridge", ["br-int", "br-tun"])
def test_every_jump_leads_forward(bridge, release):
    pipeline = pipeline_of(bridge, release)
    assert [(t, n) for t, row in pipeline.items() for n in row.next if n <= t] == []


def test_a_match_that_its_row_does_not_declare_is_refused():
    with pytest.raises(PipelineError) as caught:
        Flow("br-tun", Tun.FLOOD_TO_TUN, Priority.MATCH, match(dl_dst="ff:ff:ff:ff:ff:ff"))
    assert str(caught.value) == (
        "br-tun table 22: a match on dl_dst; allowed: dl_vlan. "
        "Declare it in controller/flows/pipeline.py, or correct the flow."
    )


def test_a_jump_that_its_row_does_not_declare_is_refused():
    with pytest.raises(PipelineError, match="a jump to 2; allowed: 22"):
        Flow("br-tun", Tun.UCAST_TO_TUN, Priority.MISS, (), (Goto(2),))


def test_a_table_that_is_not_there_is_refused():
    with pytest.raises(PipelineError, match="table 5"):
        Flow("br-tun", 5, Priority.MISS)


def test_a_match_reads_in_ovs_ofctls_order_and_knows_its_fields():
    assert match(dl_dst="x", in_port="p", proto="arp") == (
        ("proto", "arp"),
        ("in_port", "p"),
        ("dl_dst", "x"),
    )
    with pytest.raises(KeyError, match="tcp_dst"):
        match(tcp_dst=80)
