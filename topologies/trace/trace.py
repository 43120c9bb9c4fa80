"""Follow one frame through a running lab with `ofproto/trace`, from guest to guest.

Nothing is sent: a trace without a packet adds no learned flow and no MAC.
"""

import json
from collections.abc import Iterable
from dataclasses import replace

from controller.explain.names import Names
from controller.explain.ofproto import Copy, Trace, copies, parse_trace
from controller.flows.ports import BR_INT
from controller.flows.text import normalise
from controller.model.errors import UsageError
from controller.model.names import int_port_name
from controller.model.overlay import Overlay
from controller.model.parts import Mechanism
from controller.switches.reading import COLUMNS, as_seen, binding_of, parse_reading
from topologies.lab.lab import Lab
from topologies.trace.course import Course, arrive, far_trace, leave
from topologies.trace.frames import ends_of, frame_of
from topologies.trace.side import Side
from topologies.trace.way import InstalledFlow, installed, lacked

DUMP = ("ovs-ofctl", "-O", "OpenFlow13", "--names", "--no-stats", "dump-flows")


def trace_frame(lab: Lab, source: str, target: str, kind: str) -> Course:
    """The course of the frame that guest `source` would send to guest `target` now.

    Raises:
        UsageError: no such guest, no such frame between them, or a host without Open vSwitch.
        CommandError, SwitchError: a switch did not answer with a trace.
    """
    overlay = lab.overlay
    ends = ends_of(overlay, source, target)
    frame = frame_of(kind, overlay, ends)
    here = _side(lab, overlay, ends.source.host)
    there = here if ends.target.host == here.host else _side(lab, overlay, ends.target.host)
    sent = frame.traced(int_port_name(ends.source.id))
    leaving = leave(here, there, ends, frame, _trace(lab, here.host, BR_INT, sent))
    course = leaving.course
    if request := far_trace(leaving, there):
        bridge, port, fields = request
        flow = frame.traced(port, *fields)
        course = arrive(leaving, there, _trace(lab, there.host, bridge, flow))
    return course if course.delivered else _with_reason(lab, course, (here, there))


def copies_sent(lab: Lab, source: str, target: str, kind: str) -> tuple[Copy, ...]:
    """Each copy of the frame that guest `source` would send to guest `target` now, on its own host.

    Raises:
        UsageError, CommandError, SwitchError: as `trace_frame`.
    """
    overlay = lab.overlay
    ends = ends_of(overlay, source, target)
    sent = frame_of(kind, overlay, ends).traced(int_port_name(ends.source.id))
    return tuple(copies(_trace(lab, ends.source.host, BR_INT, sent).datapath))


def installed_flows(lab: Lab, host: str, bridge: str) -> tuple[InstalledFlow, ...]:
    """The flows that a bridge of a compute host has now, each with its explanation.

    Raises:
        CommandError: the host has no such bridge.
        UsageError: it is a host without Open vSwitch.
    """
    overlay = lab.overlay
    explainer = _side(lab, overlay, overlay.host(host).name).explainer(bridge)
    return tuple(installed(explainer, text) for text in normalise(lab.run(host, *DUMP, bridge)))


def _with_reason(lab: Lab, course: Course, sides: Iterable[Side]) -> Course:
    """The course of a lost frame, with the flows that are missing on its path."""
    lacking, side_of = [], {side.host: side for side in sides}
    passed = ((stage.host, stage.bridge) for stage in (*course.near, *course.far))
    for host, bridge in dict.fromkeys(passed):
        if explainer := side_of[host].explainer(bridge):
            dumped = lab.run(host, *DUMP, bridge)
            lacking += [f"{host}, {bridge}: {flow}" for flow in lacked(explainer, dumped)]
    return replace(course, lacking=tuple(lacking))


def _trace(lab: Lab, host: str, bridge: str, flow: str) -> Trace:
    return parse_trace(lab.run(host, "ovs-appctl", "ofproto/trace", "--names", bridge, flow))


def _side(lab: Lab, overlay: Overlay, host: str) -> Side:
    """The host as it is now, read from its own database."""
    if overlay.host(host).mechanism is not Mechanism.OPENVSWITCH:
        raise UsageError(
            f"mechanism {overlay.host(host).mechanism}",
            where=f"host {host!r}",
            allowed="hosts with Open vSwitch: a Linux bridge has no trace",
            do=f"`overlaylab exec {lab.name} {host} -- bridge fdb` shows its forwarding table.",
        )
    lines = lab.run(host, *_query()).splitlines()
    reading = parse_reading("\n".join(lines[:-1]))
    links = {name: state for name, state in json.loads(lines[-1])["data"] if state == str(state)}
    if overlay.host(host).hybrid_plug:  # OVS does not see the devices behind its ports
        shown = json.loads(lab.run(host, "ip", "-json", "-brief", "link", "show"))
        links = {each["ifname"]: each["operstate"].lower() for each in shown} | links
    seen = as_seen(overlay, host, reading)
    return Side(Names(seen, seen.host(host), binding_of(seen, host, reading)), reading, links)


def _query() -> tuple[str, ...]:
    """One `ovs-vsctl` for everything: the tables of a Reading, and the state of the links."""
    tables = [*COLUMNS.items(), ("Interface", "name,link_state")]
    lists = (("--", f"--columns={columns}", "list", table) for table, columns in tables)
    return ("ovs-vsctl", "--timeout=5", "--format=json", *(arg for each in lists for arg in each))
