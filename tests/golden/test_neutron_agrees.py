"""The flows are those that the article prints, and those that the real Neutron 12 installs."""

import re
from pathlib import Path

import pytest

from controller.binding import fresh
from experiments.cli.main import main
from tests.golden.openflow10 import port_names, translate
from topologies.scenario import load

HERE = Path(__file__).parent
SERVER_A = "qvo00a1bde0-be"


def printed(capsys: pytest.CaptureFixture[str], bridge: str, *more: str) -> list[str]:
    assert main(["flows", "article", "--host", "controller", "--bridge", bridge, *more]) == 0
    return capsys.readouterr().out.splitlines()


def article(bridge: str) -> list[str]:
    ports = port_names((HERE / "article/br-tun.controller.show").read_text())
    dump = (HERE / f"article/{bridge}.controller.flows").read_text()
    return [translate(line, ports) for line in dump.splitlines()]


def neutron(name: str) -> list[str]:
    lines = (HERE / f"neutron/{name}.names.flows").read_text().splitlines()
    return [re.sub(r"cookie=0x[0-9a-f]+,", "", line) for line in lines]


def test_the_translator_reads_each_kind_of_rule():
    line = (
        "cookie=0x1, duration=2.5s, table=4, n_packets=9, n_bytes=8, idle_age=7, priority=1,"
        "tun_id=0x6f,in_port=3 actions=mod_vlan_vid:1,load:0x6f->NXM_NX_TUN_ID[],resubmit(,10),"
        "strip_vlan,output:3"
    )
    assert translate(line, {"3": "gre-1"}) == (
        'table=4, priority=1,tun_id=0x6f,in_port="gre-1" actions=push_vlan:0x8100,'
        "set_field:4097->vlan_vid,set_field:0x6f->tun_id,goto_table:10,pop_vlan,"
        'output:"gre-1"'
    )


def test_br_tun_has_every_rule_that_the_article_prints(capsys):
    theirs = article("br-tun")
    learned = [rule for rule in theirs if "hard_timeout=300, " in rule]
    assert len(theirs) == 13
    assert len(learned) == 1  # made by learn(), so only live

    ours = printed(capsys, "br-tun")

    assert set(theirs) - set(ours) == set(learned)
    # The article does not look at the tables of the other tunnel types.
    assert set(ours) - set(theirs) == {
        "table=3, priority=0 actions=drop",
        "table=6, priority=0 actions=drop",
    }
    assert len(ours) == len(set(ours))


def test_br_tun_has_the_articles_port_numbers():
    overlay = load("article").overlay
    show = port_names((HERE / "article/br-tun.controller.show").read_text())
    assert fresh(overlay, "controller").ofports["br-tun"] == {
        name: int(number) for number, name in show.items()
    }


def test_br_int_has_every_rule_that_the_article_prints(capsys):
    theirs, ours = article("br-int"), printed(capsys, "br-int")
    assert len(theirs) == 6
    assert set(theirs) <= set(ours)


@pytest.mark.parametrize(
    ("mode", "name"),
    [
        ("vxlan-mesh", "q_a_vxlan_flood_learn_queens.br-tun"),
        ("vxlan-l2pop-arp", "q_c_vxlan_l2pop_arp_queens.br-tun"),
    ],
)
def test_br_tun_is_what_neutron_installs(capsys, mode, name):
    theirs = neutron(name)
    assert len(theirs) > 10
    assert sorted(printed(capsys, "br-tun", "--mode", mode)) == sorted(theirs)


@pytest.mark.parametrize("mode", [None, "vxlan-mesh", "gre-l2pop-arp"])
def test_br_int_is_what_neutron_installs(capsys, mode):
    theirs = [
        line.replace("tapa0000001-00", SERVER_A)
        for line in neutron("q_a_vxlan_flood_learn_queens.br-int")
    ]
    assert len(theirs) == 11
    ours = printed(capsys, "br-int", *(["--mode", mode] if mode else []))
    assert sorted(ours) == sorted(theirs)
