"""Dumps and traces from the public record: other releases, other shapes, other people's notes.

Short excerpts, as their authors pasted them.  Where they are from:

havana      yeasy, "OpenStack understand Neutron", GRE mode: tables before Juno
vlan        the same book, VLAN mode: a provider bridge and br-int
hyperv      https://pastebin.com/3TyMdt28: Neutron on Hyper-V, with Windows prompts and line ends
dvr         https://pastebin.com/kBbYd5y2: br-int with distributed routers
dvr-l2pop   chendave.github.io on distributed routers (Juno): l2population, with `ovs-ofctl show`
mitaka-arp  a blog of 5 February 2017 on Mitaka's flows (ARP responder, DVR), with notes behind them
firewall    Neutron's doc/source/contributor/internals/openvswitch_firewall.rst
handmade    just4coding.com of 21 May 2017: br-tun by `add-flow`, with a trace of Open vSwitch 2.5
odl         https://gist.github.com/gvranganvtn/0d8dd22ba19491b39c61: OpenDaylight, in a table
ovn         networking-ovn's doc/source/admin/refarch: wrapped lines
l2gw        networkop.co.uk on the L2 gateway (Mitaka): a trace through `grep`
faucet      Open vSwitch's Documentation/tutorials/faucet.rst
"""

from pathlib import Path

import pytest

from controller.explain.explanation import explanation
from experiments.cli.explain_dump import document, lines

DUMPS = Path(__file__).parent / "dumps"


def explained(name):
    return explanation((DUMPS / name).read_text(encoding="utf-8"))


def text_of(name):
    return " ".join("\n".join(lines(explained(name))).split())


def kinds(name, bridge=0):
    found = document(explained(name))["bridges"][bridge]["findings"]
    return [finding["kind"] for finding in found if finding["fault"]]


@pytest.mark.parametrize(
    ("name", "bridges"),
    [
        ("havana.br-tun.txt", [("br-tun", "br-tun", 13)]),
        ("vlan.txt", [("br-eth1", "a provider bridge", 4), ("br-int", "br-int", 3)]),
        ("hyperv.br-tun.txt", [("br-ex", "a provider bridge", 1), ("br-tun", "br-tun", 8)]),
        ("dvr.br-int.txt", [("br-int", "br-int", 8)]),
        ("dvr-l2pop.br-tun.txt", [("br-tun", "br-tun", 14)]),
        ("mitaka-arp.br-tun.txt", [("br-tun", "br-tun", 22)]),
        ("firewall.br-int.txt", [("br-int", "br-int", 26)]),
        ("handmade.txt", [("br-tun", "br-tun", 8)]),
        ("odl.br-int.txt", [("br-int", "a bridge", 6)]),
        ("ovn.br-int.txt", [("br-int", "a bridge", 2)]),
    ],
)
def test_bridges_are_recognised_with_every_flow(name, bridges):
    found = explained(name)
    assert [(each.name, each.kind, len(each.flows)) for each in found.bridges] == bridges


@pytest.mark.parametrize("path", sorted(DUMPS.glob("*.txt")), ids=lambda path: path.stem)
def test_flows_are_understood(path):
    """But for what somebody wrote behind them."""
    odd = [part for b in explained(path.name).bridges for f in b.flows for part in f.odd]
    assert [part for part in odd if part.isascii()] == []


def test_tables_before_juno_have_their_own_numbers():
    text = text_of("havana.br-tun.txt")
    assert "Neutron before Juno (2014.2)" in text
    assert (
        "GRE key 1 (0x1) is local VLAN 1; broadcasts go to 1 VTEP: the GRE tunnel on port 2" in text
    )
    assert "table 21, FLOOD_TO_TUN" in text
    assert "fa:16:3e:32:0d:db in local VLAN 1 (learned, 284 s left)" in text
    assert kinds("havana.br-tun.txt") == []


def test_provider_vlans_are_translated():
    text = text_of("vlan.txt")
    assert "VLAN 1 of port 4 is local VLAN 101" in text
    assert "local VLAN 101 leaves as VLAN 1" in text


def test_windows_prompts_and_line_ends():
    text = text_of("hyperv.br-tun.txt")
    assert "understood: 9 flows" in text
    assert "table 22 (FLOOD_TO_TUN), which has no flows in the text" in text


def test_distributed_routers_on_br_int():
    text = text_of("dvr.br-int.txt")
    assert "Distributed routers (DVR): table 1 or 2 has their flows." in text
    assert "from port 16 that are sent from DVR MAC fa:16:3f:9b:60:bb go on to table 1" in text
    assert "have their source MAC set to fa:16:3e:97:cd:b7" in text


def test_distributed_routers_and_l2population_on_br_tun():
    text = text_of("dvr-l2pop.br-tun.txt")
    assert "l2population: the server states the MACs behind each VTEP." in text
    assert "10.224.159.136: VXLAN, port 3 (vxlan-0ae09f88)" in text
    assert "fa:16:3e:9f:55:67 in local VLAN 1 (stated)" in text
    assert "VNI 1001 (0x3e9) is local VLAN 1; the text has no flood entry for it" in text
    assert kinds("dvr-l2pop.br-tun.txt") == ["empty-table", "empty-table"]


def test_the_arp_responder_and_notes_behind_flows():
    text = text_of("mitaka-arp.br-tun.txt")
    assert "192.168.1.6 is at fa:16:3e:d3:4f:c1, in local VLAN 1" in text
    assert "l2population with the ARP responder." in text
    assert 'turned into the reply "192.168.1.6 is at fa:16:3e:d3:4f:c1"' in text
    assert "Lines not understood: 3" in text
    assert "Not understood: 走表22." in text
    assert kinds("mitaka-arp.br-tun.txt") == []


def test_the_firewall_with_conjunctions():
    text = text_of("firewall.br-int.txt")
    assert "The openvswitch firewall driver: tables 71 to 94" in text
    assert "of them 5 parts of conjunctions" in text
    assert "whose connection is established, not related to another one, not reply" in text
    assert "are part 1 of 2 of conjunction 18" in text
    assert "with destination port 96 to 127" in text
    assert (
        "with source port 68 (DHCP client) with destination port 67 (DHCP server) go on to table 73"
        in text
    )
    assert "may send as MACs fa:16:3e:a4:22:11 and fa:16:3e:a4:22:10" in text
    assert kinds("firewall.br-int.txt") == []


def test_a_bridge_made_by_hand():
    text = text_of("handmade.txt")
    assert "Hand-made: tables or translations of Neutron's tunnel bridge are missing." in text
    assert "no local VLANs: frames that reach table 21 go to 192.168.239.145" in text
    assert kinds("handmade.txt") == []


@pytest.mark.parametrize("name", ["odl.br-int.txt", "ovn.br-int.txt"])
def test_other_pipelines_are_not_taken_for_neutrons(name):
    assert "Not a pipeline of Neutron's openvswitch agent" in text_of(name)


def test_wrapped_lines_are_joined():
    flow = explained("ovn.br-int.txt").bridges[0].flows[0]
    assert (flow.table, flow.priority, flow.packets) == (32, 100, 0)
    assert [str(action) for action in flow.actions][-2:] == ['output:"4"', 'output:"3"']


def test_a_trace_of_an_old_switch():
    text = text_of("handmade.trace.txt")
    assert "Result: - The frame goes out of datapath port 3, untagged." in text
    assert "the bridge behind the patch port" in text
    assert "It has not learned where 00:00:00:00:00:00 is, so the frame is flooded." in text


def test_a_trace_that_grep_has_cut():
    text = text_of("l2gw.trace.txt")
    assert "The text does not have the datapath's actions" in text
    assert "table 22, FLOOD_TO_TUN" in text
    assert "are output to 3 ports" in text


def test_a_trace_with_a_controller():
    text = text_of("faucet.trace.txt")
    assert "A copy goes out of datapath port 2, untagged." in text
    assert "A copy goes to the OpenFlow controller" in text
    assert "A copy is lost" not in text
