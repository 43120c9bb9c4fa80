"""Copies counted with kernel VXLAN and multicast, in made-up captures."""

from experiments.fanout.count import counted, frame_rows
from experiments.fanout.words import OTHER
from tests.experiments.fanout.ideal_lab import lab, members_of, one, packet

GROUP = "239.0.4.26"  # of VNI 1050: the network of half of the hosts
SENDER = "192.168.150.10"


def count(*wires):
    """One broadcast on the network of half of four hosts, captured on these underlay interfaces."""
    overlay = lab("kvxlan-multicast")
    frame = one(overlay, 50, OTHER)
    source, other = members_of(overlay, frame)
    seen = [packet(source.host, overlay.device_of(source), frame)]
    seen += [packet(node, "underlay", frame, outer=outer) for node, outer in wires]
    seen += [packet(other.host, overlay.device_of(other), frame)]
    (row,) = frame_rows(overlay, counted(overlay, (frame,), seen))
    return {
        name: row[name]
        for name in ("copies_sent", "arrived", "unneeded", "delivered", "misdelivered")
    }


def test_a_multicast_packet_arrives_at_every_host_that_captures_it():
    sent = ("controller", (SENDER, GROUP))
    assert count(sent, ("computer2", (SENDER, GROUP))) == {
        "copies_sent": 1,
        "arrived": 1,
        "unneeded": 0,
        "delivered": 1,
        "misdelivered": 0,
    }
    flooded = count(
        sent, *((host, (SENDER, GROUP)) for host in ("computer", "computer2", "computer3"))
    )
    assert (flooded["arrived"], flooded["unneeded"], flooded["misdelivered"]) == (3, 2, 0)


def test_a_packet_to_the_group_of_another_network_is_misdelivered():
    assert count(("computer2", (SENDER, "239.0.4.27")))["misdelivered"] == 1
