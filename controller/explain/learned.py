"""Explains a flow that the switch has learned.  Pure."""

import re

from controller.explain.flow import Explainer, table_named
from controller.explain.names import segment
from controller.flows.actions import LearnReturnPath
from controller.flows.pipeline import Flow

MATCHED = re.compile(r"vlan_tci=(0x[0-9a-f]+)/0x0fff,dl_dst=([0-9a-f:]{17})$")
LOADED = re.compile(r"load:(0x[0-9a-f]+)->NXM_NX_TUN_ID\[\]")
SENT = re.compile(r'output:"?([^",\s]+)"?$')


def learned(explainer: Explainer, matched: str, actions: str) -> str | None:
    """The sentence for a flow that a `learn` action of this bridge has written, else None.

    Args:
        matched: the match as ovs-ofctl prints it; `actions` likewise.
    """
    learning = learning_flow(explainer)
    seen, loaded, sent = MATCHED.match(matched), LOADED.search(actions), SENT.search(actions)
    if learning is None or seen is None or loaded is None or sent is None:
        return None
    names, (teacher, learn) = explainer.names, learning
    vlan, mac = int(seen[1], 16), names.mac(seen[2])
    tunnel = names.port(teacher.bridge, _port_name(explainer, teacher.bridge, sent[1]))
    key = segment(names.network_in(vlan), int(loaded[1], 16))
    writer = table_named(teacher.bridge, explainer.release, teacher.table)
    return (
        f"Learned by the switch in {writer}, when a frame from {mac} came in by {tunnel}, at most "
        f"{learn.hard_timeout_s} s ago. Frames for that MAC in {names.local_vlan(vlan)} have their "
        f"VLAN tag removed, get {key} and are output to that tunnel only."
    )


def learning_flow(explainer: Explainer) -> tuple[Flow, LearnReturnPath] | None:
    """A flow of the bridge that has a `learn` action, and this action, the same for all; else None."""
    found = ((f, a) for f in explainer.flows for a in f.actions if isinstance(a, LearnReturnPath))
    return next(found, None)


def _port_name(explainer: Explainer, bridge: str, given: str) -> str:
    """The name of a port that a dump gives by name or number."""
    numbers = explainer.names.binding.ofports.get(bridge, {})
    return next((name for name, number in numbers.items() if str(number) == given), given)
