"""An explanation of pasted flows as lines, or as one JSON document.  Pure."""

from collections.abc import Iterator
from typing import Any

from controller.explain.bridge import DumpedBridge
from controller.explain.dump_names import DumpNames
from controller.explain.explanation import Explanation
from controller.explain.findings import findings
from controller.explain.flow import Explainer
from controller.explain.reading import DumpFlow
from controller.explain.recognise import pipeline
from controller.explain.summary import explained, networks_of, summary, title
from controller.explain.traced import Traced
from controller.model.wording import counted
from controller.system.files import printable
from experiments.cli.explain_text import INDENT, wrapped

JSON_FORMAT = 1
UNREAD_SHOWN = 20  # lines; JSON has all
MORE = 12  # lines below one heading of the summary; JSON has all


def lines(found: Explanation) -> Iterator[str]:
    """The summary of each bridge, then its flows table by table, then what was not understood."""
    for number, bridge in enumerate(found.bridges):
        yield from ("",) if number else ()
        yield from map(printable, _summary(bridge))
    for bridge in found.bridges:
        yield ""
        yield from map(printable, _flows(bridge))
    for number, trace in enumerate(found.traces):
        yield from ("",) if number or found.bridges else ()
        yield from map(printable, _trace(trace, number + 1 if len(found.traces) > 1 else 0))
    yield from map(printable, _unread(found))


def _summary(bridge: DumpedBridge) -> Iterator[str]:
    yield title(bridge)
    yield from _items("Pipeline", list(pipeline(bridge)))
    below: dict[str, list[str]] = {}
    for line in summary(bridge):
        below.setdefault(line.heading, []).append(line.text)
    for heading, texts in below.items():
        yield from _items(heading, texts)
    found = findings(bridge)
    faults = [finding.text for finding in found if finding.is_fault]
    yield from _items("Looks wrong", faults or ["nothing that these flows show"])
    yield from _items("Worth knowing", [finding.text for finding in found if not finding.is_fault])


def _items(heading: str, texts: list[str]) -> Iterator[str]:
    if not texts:
        return
    yield f"  {heading}:"
    for text in texts[:MORE]:
        first, *rest = wrapped(text, "      ")
        yield f"    - {first.strip()}"
        yield from rest
    if len(texts) > MORE:
        yield f"    - and {len(texts) - MORE} more; `--format json` has all"


def _flows(bridge: DumpedBridge) -> Iterator[str]:
    explainer = _explainer(bridge)
    yield f"Flows of {bridge.name}, table by table"
    for number in bridge.numbers:
        name, why = bridge.table(number)
        yield ""
        yield f"table {number}" + (f", {name}" if name else "") + (f": {why}" if why else "")
        for flow in sorted(bridge.in_table(number), key=lambda flow: (-flow.priority, flow.line)):
            yield f"  {flow.text.strip()}"
            yield from wrapped(explained(bridge, explainer, flow), INDENT)


def _trace(trace: Traced, number: int) -> Iterator[str]:
    yield from wrapped(
        f"Trace{f' {number}' if number else ''}: {trace.frame or 'frame not in the text'}"
    )
    yield from _items("Result", list(trace.outcome))
    for stage in trace.stages:
        yield ""
        yield stage.bridge or "bridge not named in the text"
        for step in stage.steps:
            yield f"  table {step.table}" + (f", {step.name}" if step.name else "")
            yield from (f"    {step.flow}",) if step.flow else ()
            yield from wrapped(step.text, INDENT)


def _explainer(bridge: DumpedBridge) -> "Explainer[DumpFlow]":
    return Explainer(DumpNames(bridge), bridge.flows)


def _unread(found: Explanation) -> Iterator[str]:
    odd = [flow for bridge in found.bridges for flow in bridge.flows if flow.odd]
    flows = sum(len(bridge.flows) for bridge in found.bridges)
    if not odd and not found.unread:
        if flows:
            yield ""
            yield f"Everything was understood: {counted(flows, 'flow')}."
        return
    yield ""
    if odd:
        yield f'Parts not understood: in {len(odd)} of {counted(flows, "flow")}; see "Not understood" above.'
    if found.unread:
        yield f"Lines not understood: {len(found.unread)}"
        for number, line in found.unread[:UNREAD_SHOWN]:
            yield f"  {number}: {line}"
        if len(found.unread) > UNREAD_SHOWN:
            yield f"  and {len(found.unread) - UNREAD_SHOWN} more; `--format json` has all"


def document(found: Explanation) -> dict[str, Any]:
    """All of it for programs."""
    return {
        "format": JSON_FORMAT,
        "bridges": [_bridge(bridge) for bridge in found.bridges],
        "traces": [_traced(trace) for trace in found.traces],
        "not_understood": [{"line": number, "text": line} for number, line in found.unread],
    }


def _traced(trace: Traced) -> dict[str, Any]:
    return {
        "frame": trace.frame,
        "result": list(trace.outcome),
        "datapath_actions": trace.datapath,
        "stages": [
            {
                "bridge": stage.bridge,
                "steps": [
                    {
                        "table": step.table,
                        "table_name": step.name,
                        "flow": step.flow,
                        "explanation": step.text,
                    }
                    for step in stage.steps
                ],
            }
            for stage in trace.stages
        ],
    }


def _bridge(bridge: DumpedBridge) -> dict[str, Any]:
    explainer = _explainer(bridge)
    return {
        "name": bridge.name,
        "kind": bridge.kind,
        "named_in_text": bridge.is_named,
        "is_part": bridge.is_part,
        "pipeline": list(pipeline(bridge)),
        "networks": [
            {
                "local_vlan": vlan,
                "segmentation_ids": list(bridge.tunnel_ids(vlan)),
                "network_type": _value(bridge.kind_of(vlan)),
                "flooded_to": [_port(bridge, port) for port in bridge.flooded_to(vlan)],
            }
            for vlan in bridge.local_vlans
        ],
        "vteps": [
            {
                **_port(bridge, tunnel.port),
                "network_type": _value(tunnel.kind),
                "local_vlans": list(networks_of(bridge, tunnel)),
                "macs": [
                    {"mac": e.mac, "local_vlan": e.local_vlan, "learned": e.is_learned}
                    for e in bridge.entries
                    if tunnel.port in e.ports
                ],
            }
            for tunnel in bridge.tunnels
        ],
        "arp_answers": [
            {"local_vlan": a.local_vlan, "ip": a.address, "mac": a.mac} for a in bridge.answers
        ],
        "provider_vlans": [
            {"port": t.port, "vlan": t.outside, "local_vlan": t.local_vlan}
            for t in bridge.translations
        ],
        "guests": [
            {
                "port": guest.port,
                "macs": list(guest.macs),
                "addresses": list(guest.addresses),
                "local_vlan": guest.local_vlan,
            }
            for guest in bridge.guests
        ],
        "findings": [
            {"kind": f.kind, "fault": f.is_fault, "text": f.text, "lines": list(f.lines)}
            for f in findings(bridge)
        ],
        "flows": [_flow(bridge, explainer, flow) for flow in bridge.flows],
    }


def _port(bridge: DumpedBridge, port: str) -> dict[str, Any]:
    tunnel = bridge.tunnel(port)
    return {"port": port, "address": (tunnel.remote if tunnel else "") or None}


def _value(kind: object) -> str | None:
    return str(kind) if kind else None


def _flow(bridge: DumpedBridge, explainer: "Explainer[DumpFlow]", flow: DumpFlow) -> dict[str, Any]:
    name, why = bridge.table(flow.table)
    return {
        "line": flow.line,
        "text": flow.text.strip(),
        "table": flow.table,
        "table_name": name,
        "why": why,
        "priority": flow.priority,
        "match": dict(flow.match),
        "actions": [str(action) for action in flow.actions],
        "packets": flow.packets,
        "seconds_left": flow.seconds_left,
        "explanation": explained(bridge, explainer, flow),
        "not_understood": list(flow.odd),
    }
