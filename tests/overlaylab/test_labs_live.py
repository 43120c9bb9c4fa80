"""The Python API with a running lab."""

import polars as pl
import pytest

import overlaylab as ol
from controller.flows.binding import new_binding
from controller.flows.bridges import bridge_flows

pytestmark = pytest.mark.root


@pytest.fixture(scope="module")
def lab():
    with ol.lab("article", mode="vxlan-l2pop") as running:
        yield running


def test_ping_returns_a_row_for_each_request(lab):
    pings = lab.ping("ServerA", "ServerB", count=20)

    assert pings.schema == {"seq": pl.Int64, "rtt_ms": pl.Float64}
    assert pings["seq"].to_list() == list(range(1, 21))
    assert pings["rtt_ms"].drop_nulls().min() > 0


def test_ping_takes_an_address_and_shows_lost_requests_as_null(lab):
    pings = lab.ping("ServerA", "172.16.166.250", count=2, interval_ms=10)

    assert pings["rtt_ms"].to_list() == [None, None]


def test_ping_of_an_unknown_guest_lists_the_guests(lab):
    with pytest.raises(ol.OverlayError, match=r"'ServerC'; allowed: .*ServerA"):
        lab.ping("ServerA", "ServerC")


def test_flows_are_those_of_the_controller_each_with_its_reason(lab):
    flows = lab.flows("controller", "br-tun")
    overlay = lab.overlay
    wanted = bridge_flows(overlay, new_binding(overlay, "controller"), "br-tun")

    assert flows.columns == ["table", "priority", "match", "actions", "why"]
    is_learned = pl.col("why").str.starts_with("Learned by the switch")  # from any guest's frame
    stated = flows.filter(~is_learned)
    assert stated.height == len(wanted)
    assert not flows.filter(pl.col("why").str.contains("someone else")).height
    assert flows.filter(table=22, priority=1)["actions"].str.contains("output").all()


def test_a_trace_prints_as_text_and_shows_as_a_table(lab):
    trace = lab.trace("ServerA", "ServerB")

    assert trace.delivered
    assert "br-tun" in str(trace)
    assert trace.steps.columns == ["host", "bridge", "table", "name", "flow", "why"]
    assert "<table" in trace._repr_html_()


def test_a_command_runs_in_a_node(lab):
    assert "172.16.166.117" in lab.run("ServerA", "ip", "addr")


def test_hosts_and_servers_can_be_added_and_removed_while_it_runs(lab):
    assert str(lab.add_host("compute3").local_ip) == "192.168.150.12"
    made = lab.add_server("ServerX", host="compute3", network="vxlan_net", ip="172.16.166.9")
    assert lab.ping("ServerA", "ServerX", count=3)["rtt_ms"].drop_nulls().len() == 3
    assert [port.device_id for port in lab.overlay.ports if port.id == made.id] == ["ServerX"]
    assert lab.plug("ServerY", host="compute3", network="vxlan_net") in lab.overlay.port_of

    lab.remove_server("ServerX")
    with pytest.raises(ol.OverlayError, match="it has the server ServerY"):
        lab.remove_host("compute3")
    lab.remove_host("compute3", with_servers=True)
    assert [host.name for host in lab.overlay.hosts] == ["controller", "computer"]


def test_a_capture_is_written_to_a_file(lab, tmp_path):
    file = lab.capture("ServerA", "eth0", tmp_path / "eth0.pcapng", seconds=0.5)

    assert file.read_bytes()[:4] == b"\x0a\x0d\x0d\x0a"  # a section header block of pcapng
