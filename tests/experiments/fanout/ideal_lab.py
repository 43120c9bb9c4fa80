"""Packets as in captures of a lab without faults, for tests to change; and the files of a run."""

from dataclasses import replace

from controller.model.names import int_port_name
from experiments.core.experiment import Measured
from experiments.core.groups import network_id
from experiments.core.results import Recorder, read
from experiments.fanout.count import FIELDS, counted, frame_rows, vtep_rows
from experiments.fanout.labs import frames, predicted, receivers, sender, staged
from experiments.fanout.probe import EXPERIMENT as FANOUT
from experiments.fanout.words import KNOWN, NO_END_FRAME, UNEQUAL, UNICAST
from experiments.measure.packets import REPEATED
from topologies.scenario.load import load

SEED = 7
BARE = load("article").overlay
NO_FAULTS = {NO_END_FRAME: [], "capture_dropped": {}, UNEQUAL: {}, "frames_unsent": 0}


def lab(mode="vxlan-mesh", hosts=4):
    return staged(BARE, {"mode": mode, "hosts": hosts})


def packet(node, interface, frame, *, outer=None, opcode=None):
    """A marked frame as tshark decodes it; `outer`: source and target VTEP."""
    is_arp = frame.kind.startswith("ARP")
    found = dict.fromkeys(FIELDS, "")
    nonce = frame.nonce.hex()
    found["eth.trailer" if is_arp else "data.data"] = nonce if is_arp else nonce + "00" * 28
    found["arp.opcode"] = (opcode or "1") if is_arp else ""
    if outer:
        found["ip.src"], found["ip.dst"] = outer
    return {"node": node, "frame.interface_name": interface, "frame.time_epoch": "1.0", **found}


def qvo(port):
    return int_port_name(port.id)


def origin(overlay, frame):
    return sender(overlay, frame.share)


def members_of(overlay, frame):
    return list(overlay.active_ports(network_id(frame.share)))


def seen(overlay, mode, frame):
    """All packets of a frame in a lab without faults, the sender's own first."""
    source = origin(overlay, frame)
    here = overlay.host(source.host)
    packets = [packet(source.host, qvo(source), frame)]
    inside = {port.host for port in members_of(overlay, frame)}
    others = [host for host in overlay.hosts if host is not here]
    if mode.endswith("l2pop-arp") and frame.kind == KNOWN:
        return [*packets, packet(source.host, qvo(source), frame, opcode="2")]
    if mode == "vlan":
        packets += [packet(host.name, "underlay", frame) for host in overlay.hosts]
    else:
        is_mesh = mode.endswith("mesh")
        for host in others:
            if is_mesh or host.name in inside:
                outer = str(here.local_ip), str(host.local_ip)
                packets += [
                    packet(name, "underlay", frame, outer=outer) for name in (here.name, host.name)
                ]
    others = receivers(overlay, frame.share)
    return [*packets, *(packet(port.host, qvo(port), frame) for port in others)]


def chatter(overlay):
    """Packets without a nonce that a guest sends by itself: IPv6."""
    source = next(iter(overlay.ports))
    found = dict.fromkeys(FIELDS, "")
    found["ipv6.src"], found["ipv6.dst"] = "fe80::1", "ff02::2"
    inside = {**found, "eth.trailer": "00" * 18}
    outer = REPEATED.join(["192.168.150.10", "10.0.0.1"])
    wire = {**found, "ip.src": outer, "ip.dst": outer, "data.data": "ab" * 40}
    place = {"node": source.host, "frame.time_epoch": "1.0"}
    return [
        {**place, "frame.interface_name": qvo(source), **inside},
        {**place, "frame.interface_name": "underlay", **wire},
    ]


def sent(overlay, repeats=1):
    return frames(overlay, repeats, SEED)


def one(overlay, share, kind):
    return next(each for each in sent(overlay) if (each.share, each.kind) == (share, kind))


def unknown_unicast(overlay, share=50):
    return one(overlay, share, UNICAST)


def all_seen(overlay, mode, repeats=1):
    return [each for frame in sent(overlay, repeats) for each in seen(overlay, mode, frame)]


def run_of(
    path, points, *, change=lambda packets: packets, trusted=True, facts=NO_FAULTS, repeats=2
):
    """A run of labs without faults, after `change` to their packets."""
    return recorded(
        path,
        points,
        lambda point: _ideal(point, repeats, change, facts),
        trusted=trusted,
        repeats=repeats,
    )


def _ideal(point, repeats, change, facts):
    overlay = lab(**point)
    packets = change(all_seen(overlay, point["mode"], repeats))
    counts = counted(overlay, sent(overlay, repeats), packets)
    interfaces = tuple(
        {"host": host.name, "interface": "underlay", "counted": 9, "captured": 9}
        for host in overlay.hosts
    )
    return Measured(
        rows=frame_rows(overlay, counts),
        facts=facts,
        more={"vteps": vtep_rows(overlay, counts), "interfaces": interfaces},
    )


def recorded(path, points, measure, *, trusted=True, repeats=1):
    """A run with what `measure` returns for each point."""
    question = replace(
        FANOUT.question,
        factors={
            "mode": tuple(dict.fromkeys(point["mode"] for point in points)),
            "hosts": tuple(dict.fromkeys(point["hosts"] for point in points)),
        },
    )
    recorder = Recorder(path, "run", question.tables())
    facts = []
    for order, point in enumerate(points, start=1):
        place, measured = {"repeat": 1, "order": order, **point}, measure(point)
        facts.append({**place, **measured.facts})
        recorder.samples({**place, **row} for row in measured.rows)
        for table, more in measured.more.items():
            recorder.samples(({**place, **row} for row in more), table)
    recorder.about(
        {
            "question": question.to_json(),
            "predicted": list(predicted(BARE, points)),
            "seed": SEED,
            "scenario": "article",
            "repeats": 1,
            "settings": {"frames_each": repeats},
            "measured": facts,
            "verdict": {"trusted": trusted, "reasons": [] if trusted else ["CPU idle 1%"]},
        }
    )
    return read(recorder.directory)
