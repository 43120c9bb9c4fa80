"""A dump in OpenFlow 1.0 spelling, put into that of 1.3 with port names.  Shares no code with ours."""

import re
from collections.abc import Mapping

NOISE = re.compile(r"\b(?:cookie|duration|n_packets|n_bytes|idle_age|hard_age)=[^, ]+,? ?")
SPELLING = (
    (re.compile(r"resubmit\(,(\d+)\)"), r"goto_table:\1"),
    (
        re.compile(r"mod_vlan_vid:(\d+)"),
        lambda m: f"push_vlan:0x8100,set_field:{4096 + int(m[1])}->vlan_vid",
    ),
    (re.compile(r"\bstrip_vlan\b"), "pop_vlan"),
    (re.compile(r"load:(0x[0-9a-f]+)->NXM_NX_TUN_ID\[\]"), r"set_field:\1->tun_id"),
)


def port_names(show: str) -> dict[str, str]:
    """Port number to name, from `ovs-ofctl show`."""
    return dict(re.findall(r"^ (\d+)\((\S+)\):", show, re.MULTILINE))


def translate(line: str, ports: Mapping[str, str]) -> str:
    """One flow: no cookie, no counters, `table=` only after 0, names for port numbers."""
    head, _, actions = NOISE.sub("", line).strip().partition(" actions=")
    for old, new in SPELLING:
        actions = old.sub(new, actions)
    actions = re.sub(r"\boutput:(\d+)", lambda m: f'output:"{ports[m[1]]}"', actions)
    head = re.sub(r"\bin_port=(\d+)", lambda m: f'in_port="{ports[m[1]]}"', head)
    head = re.sub(r"^table=0, ?", "", head)
    return f"{head} actions={actions}"
