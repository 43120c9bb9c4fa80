"""Traces of one lab with l2population and the ARP responder: each sentence is true for the frame."""

from pathlib import Path

from controller.explain.explanation import explanation

DUMPS = Path(__file__).parent / "dumps"


def stages(name):
    (trace,) = explanation((DUMPS / name).read_text(encoding="utf-8")).traces
    return trace.stages, trace.outcome


def sentence(name, bridge, table, visit=0):
    found = [stage for stage in stages(name)[0] if stage.bridge == bridge][visit]
    return next(step.text for step in found.steps if step.table == table)


def test_a_tunnel_packet_goes_to_the_mac_of_the_vtep():
    text = sentence("own-ping.trace.txt", "br-vtep", 0)
    assert text.endswith("It has learned the port of 02:01:bc:f4:7e:e5.")
    inside = sentence("own-ping.trace.txt", "br-int", 60)
    assert inside.endswith("It has learned the port of fa:16:3e:20:ab:00.")


def test_an_arp_reply_goes_to_the_guest_that_asked():
    text = sentence("own-arp-reply.trace.txt", "br-int", 60, visit=1)
    assert text.endswith("It has learned the port of fa:16:3e:ba:4c:b7.")
    first = sentence("own-arp-reply.trace.txt", "br-int", 60)
    assert first.endswith("The frame is for everyone, so it is flooded.")


def test_the_patch_port_of_br_tun_is_not_a_tunnel():
    assert sentence("own-arp-reply.trace.txt", "br-tun", 0).startswith("Frames from br-int go on")


def test_the_bridge_below_the_tunnels_has_no_table_of_neutron():
    below = stages("own-ping.trace.txt")[0][-1]
    assert (below.bridge, below.steps[0].name) == ("br-vtep", "")


def test_a_trace_does_not_show_what_other_flows_do():
    assert "all frames" not in sentence("own-spoofed.trace.txt", "br-int", 0)
    drop = sentence("own-spoofed.trace.txt", "br-int", 24)
    assert drop == "Frames that no flow of higher priority matches are dropped."


def test_one_copy_is_the_frame():
    (result,) = stages("own-ping.trace.txt")[1]
    assert result.startswith(
        "The frame leaves by VXLAN to VTEP 10.20.30.12 from 10.20.30.11, with VNI 42"
    )
