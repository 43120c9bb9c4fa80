"""`overlaylab explain` on dumps of flows: the article's, Neutron's, our own."""

import json
from pathlib import Path

import pytest

from controller.explain.explanation import explanation
from experiments.cli.explain_dump import document, lines
from experiments.cli.main import main

HERE = Path(__file__).parent
GOLDEN = HERE.parents[1] / "golden"
DUMPS = sorted(GOLDEN.rglob("*.flows"))
ARTICLE = HERE / "dumps" / "article.br-tun.flows"
PORTS = HERE / "dumps" / "article.br-tun.show"


def flat(text):
    return " ".join(text.split())


def test_the_article(capsys):
    """The flows that it prints, with the ports that it prints."""
    assert main(["explain", str(ARTICLE), str(PORTS)]) == 0
    out = flat(capsys.readouterr().out)
    assert "VNI 111 (0x6f) is local VLAN 1; broadcasts go to 1 VTEP: 192.168.150.11 " in out
    assert "192.168.150.11: GRE, port 2 (gre-c0a8960b); carries nothing" in out
    assert "fa:16:3e:29:99:6a in local VLAN 1 (learned, 300 s left)" in out
    assert "Everything was understood: 13 flows." in out


def test_the_article_as_json(capsys):
    assert main(["explain", str(ARTICLE), str(PORTS), "--format", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["not_understood"] == []
    bridge = document["bridges"][0]
    vtep = {"port": "vxlan-c0a8960b", "address": "192.168.150.11"}
    assert bridge["networks"] == [
        {
            "local_vlan": 1,
            "segmentation_ids": [111],
            "network_type": "vxlan",
            "flooded_to": [vtep],
        }
    ]
    kinds = [finding["kind"] for finding in bridge["findings"] if finding["fault"]]
    assert kinds == ["idle-tunnel", "empty-table"]
    assert len(bridge["flows"]) == 13
    assert all(flow["explanation"][-1] in ".?" for flow in bridge["flows"])


def test_without_ports_the_addresses_are_asked_for(capsys):
    assert main(["explain", str(ARTICLE)]) == 0
    out = flat(capsys.readouterr().out)
    assert "broadcasts go to 1 VTEP: the VXLAN tunnel on port 3" in out
    assert "Paste the output of `ovs-ofctl show br-tun` too." in out


@pytest.mark.parametrize("path", DUMPS, ids=lambda path: str(path.relative_to(GOLDEN)))
def test_every_dump_of_ours_and_of_neutron_is_understood(path):
    found = explanation(path.read_text(encoding="utf-8"))
    assert found.bridges
    assert [flow for bridge in found.bridges for flow in bridge.flows if flow.odd] == []
    assert found.unread == ()
    text = "\n".join(lines(found))
    assert "understood: " not in text.replace("Everything was understood: ", "")
    assert all(bridge["pipeline"] for bridge in document(found)["bridges"])


FLOW_BASED = """ovs-ofctl dump-flows br-tun
table=0, priority=1,in_port="patch-int" actions=resubmit(,22)
table=0, priority=1,in_port="vxlan0" actions=resubmit(,4)
table=4, priority=1,tun_id=0x64 actions=mod_vlan_vid:7,output:"patch-int"
table=22, priority=1,dl_vlan=7 actions=strip_vlan,set_tunnel:0x64,set_field:10.0.0.2->tun_dst,output:"vxlan0",set_field:10.0.0.3->tun_dst,output:"vxlan0"
table=22, priority=0 actions=drop
"""


def test_one_tunnel_port_whose_flows_set_the_vtep():
    text = flat("\n".join(lines(explanation(FLOW_BASED))))
    assert "VNI 100 (0x64) is local VLAN 7; broadcasts go to 2 VTEPs: 10.0.0.2 and 10.0.0.3" in text
    assert "Looks wrong: - nothing that these flows show" in text


def test_tables_by_name():
    named = (
        "table=PATCH_LV_TO_TUN, priority=1,in_port=1 actions=resubmit(,UCAST_TO_TUN)\n"
        'table="UCAST_TO_TUN", priority=0 actions=goto_table:FLOOD_TO_TUN\n'
        "table=FLOOD_TO_TUN, priority=1,dl_vlan=1 actions=strip_vlan,set_tunnel:1,output:2\n"
    )
    (bridge,) = explanation(f"ovs-ofctl dump-flows br-tun\n{named}").bridges
    assert bridge.numbers == (2, 20, 22)
    assert [flow.odd for flow in bridge.flows] == [(), (), ()]
    assert [str(flow.actions[0]) for flow in bridge.flows[:2]] == ["goto_table:20", "goto_table:22"]


def test_a_tag_without_a_vlan_is_explained():
    found = explanation("ovs-ofctl dump-flows br-int\ntable=0,in_port=1 actions=push_vlan:0x8100")
    assert "Frames from port 1 get an empty VLAN tag." in "\n".join(lines(found))


def test_one_old_table_alone_is_recognised_as_old():
    split = "table=1, priority=0,dl_dst=00:00:00:00:00:00/01:00:00:00:00:00 actions=resubmit(,20)"
    text = "\n".join(lines(explanation(f"# ovs-ofctl dump-flows br-tun table=1\n{split}")))
    assert "table 1, PATCH_LV_TO_TUN" in text
    assert "only some of the bridge's flows" in text
    current = "\n".join(
        lines(explanation(f"# ovs-ofctl dump-flows br-tun\n{split}".replace("=1,", "=2,")))
    )
    assert "table 2, PATCH_LV_TO_TUN" in current


def test_a_flow_that_was_cut_does_not_take_the_next_one():
    (bridge,) = explanation("table=0,in_port=1 actions=resubmit(,2\nin_port=2 actions=drop").bridges
    assert [flow.matched.get("in_port") for flow in bridge.flows] == ["1", "2"]
    assert bridge.flows[0].odd == ("resubmit(,2",)
