"""A flow that a switch wrote by itself, in words.  Pure."""

import re

from controller.explain.flow import Explainer, table_named
from controller.explain.names import segment
from controller.flows.actions import LearnReturnPath
from controller.flows.pipeline import Flow

MATCHED = re.compile(r"vlan_tci=(0x[0-9a-f]+)/0x0fff,dl_dst=([0-9a-f:]{17})$")
LOADED = re.compile(r"load:(0x[0-9a-f]+)->NXM_NX_TUN_ID\[\]")
SENT = re.compile(r'output:"?([^",\s]+)"?$')


def learned(explainer: Explainer, matched: str, actions: str) -> str | None:
    """The sentence for a flow that a `learn` of this bridge wrote; None: none of them did.

    Args:
        matched: the match as ovs-ofctl prints it; `actions` likewise.
    """
    taught = teaching(explainer)
    seen, loaded, sent = MATCHED.match(matched), LOADED.search(actions), SENT.search(actions)
    if taught is None or seen is None or loaded is None or sent is None:
        return None
    names, (teacher, learn) = explainer.names, taught
    vlan, mac = int(seen[1], 16), names.mac(seen[2])
    tunnel = names.port(teacher.bridge, _port_name(explainer, teacher.bridge, sent[1]))
    key = segment(names.network_in(vlan), int(loaded[1], 16))
    writer = table_named(teacher.bridge, explainer.release, teacher.table)
    return (
        f"Learned, not installed: {writer} wrote it when a frame from {mac} came in by {tunnel}, "
        f"at most {learn.hard_timeout_s} s ago. Frames for that MAC in {names.local_vlan(vlan)} "
        f"lose their tag, get {key} and leave by that tunnel alone."
    )


def teaching(explainer: Explainer) -> tuple[Flow, LearnReturnPath] | None:
    """A flow of the bridge that writes others, and how, which is the same for all; None: there is none."""
    found = ((f, a) for f in explainer.flows for a in f.actions if isinstance(a, LearnReturnPath))
    return next(found, None)


def _port_name(explainer: Explainer, bridge: str, given: str) -> str:
    """A port by its name, also where a dump has its number."""
    numbers = explainer.names.binding.ofports.get(bridge, {})
    return next((name for name, number in numbers.items() if str(number) == given), given)
