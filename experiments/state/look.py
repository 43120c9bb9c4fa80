"""Looks at what a compute host keeps for its tunnels, and makes them anew.

Where there is no Open vSwitch, Linux itself carries the tunnels.
"""

import json
import re
import time
from collections.abc import Callable, Collection

from controller.model.errors import MeasureError
from controller.model.names import UNDERLAY
from controller.model.parts import Host
from experiments.core.experiment import Lab
from experiments.measure.learned import is_kernel, is_static, learned_entries, vxlan_devices
from experiments.state import report as words
from experiments.state.labs import TUNNELS

DEADLINE_S, POLL_S = 15.0, 0.05
TUNNEL_PORTS = re.compile(r":(4789|6081|8472)\s")  # VXLAN, Geneve, VXLAN before its RFC
VSCTL = ("ovs-vsctl", "--timeout=10")


def kept(lab: Lab, host: Host) -> dict[str, int]:
    """What stands on one host, by name of the count."""
    udp = lab.run(host.name, "ss", "-Huan").splitlines()
    raw = lab.run(host.name, "cat", "/proc/net/raw", "/proc/net/raw6").splitlines()
    return {
        words.PORTS: len(ports(lab, host)),
        words.LISTENERS: _listeners(lab, host),
        words.UDP: sum(bool(TUNNEL_PORTS.search(line)) for line in udp),
        words.SOCKETS: sum(not line.lstrip().startswith("sl") for line in raw),
        words.NEIGHBOURS: len(neighbours(lab, host)),
    }


def ports(lab: Lab, host: Host) -> frozenset[str]:
    """Open tunnel ports, or the kernel's VXLAN devices."""
    if is_kernel(host):
        return frozenset(vxlan_devices(lab, host))
    return frozenset(_ofports(lab, host))


def _ofports(lab: Lab, host: Host) -> dict[str, int]:
    """OpenFlow numbers of open tunnel ports; one that is made anew gets another."""
    columns = "--columns=name,type,ofport"
    report = lab.run(host.name, *VSCTL, "--format=json", columns, "list", "Interface")
    return {
        name: ofport
        for name, type_, ofport in json.loads(report)["data"]
        if type_ in TUNNELS and isinstance(ofport, int) and ofport > 0
    }


def _listeners(lab: Lab, host: Host) -> int:
    """What the switch itself takes off the wire: one for each protocol, none for each peer."""
    if is_kernel(host):
        return 0
    report = lab.run(host.name, "ovs-appctl", "tnl/ports/show")
    return sum("ref_cnt" in line for line in report.splitlines())


def neighbours(lab: Lab, host: Host) -> frozenset[str]:
    """VTEPs whose MAC the host's datapath knows."""
    vteps = {str(other.local_ip) for other in lab.overlay.hosts}
    argv = (
        ("ip", "neigh", "show", "dev", UNDERLAY)
        if is_kernel(host)
        else ("ovs-appctl", "tnl/neigh/show")
    )
    lines = (line.split() for line in lab.run(host.name, *argv).splitlines())
    return frozenset(words[0] for words in lines if words and words[0] in vteps and _known(words))


def _known(words: list[str]) -> bool:
    return not {"FAILED", "INCOMPLETE"} & set(words)


def unlearn(lab: Lab, host: Host) -> None:
    """Forget what guests said when they came up."""
    if is_kernel(host):  # its devices are made anew, and begin empty
        return
    for line in learned_entries(lab, host):
        match = re.search(r"(priority=\S+) actions", line)
        if match:
            rule = f"table=20,{match[1]}"
            lab.run(host.name, "ovs-ofctl", "--strict", "del-flows", "br-tun", rule)


def kept_s(lab: Lab, host: Host) -> int | None:
    """After how many seconds without a word a learned entry goes."""
    if is_kernel(host):
        shown = lab.run(host.name, "ip", "-d", "link", "show", "type", "vxlan")
        found = re.search(r"ageing (\d+)", shown)
    else:
        found = re.search(r"hard_timeout=(\d+)", "\n".join(learned_entries(lab, host)))
    return int(found[1]) if found else None


def forget_neighbours(lab: Lab, host: Host) -> None:
    """As if it never had sent to another VTEP."""
    if is_kernel(host):
        for vtep in neighbours(lab, host):
            lab.run(host.name, "ip", "neigh", "del", vtep, "dev", UNDERLAY)
    else:
        lab.run(host.name, "ovs-appctl", "revalidator/purge")  # or a megaflow still knows them
        lab.run(host.name, "ovs-appctl", "tnl/neigh/flush")
    await_that(lambda: not neighbours(lab, host), "end of what was known of VTEPs")


def make_anew(lab: Lab, host: Host) -> None:
    """Take every tunnel port of a host away; the controller makes them again.

    Raises:
        MeasureError: it does not, in time.
    """
    had, rules = ports(lab, host), len(_stated(lab, host))
    if is_kernel(host):
        for device in had:
            lab.run(host.name, "ip", "link", "del", device)
    elif had:
        words = (word for port in had for word in ("--", "del-port", "br-tun", port))
        lab.run(host.name, *VSCTL, *words)
    await_that(
        lambda: ports(lab, host) == had and _are_wired(lab, host, rules),
        f"the tunnels of host {host.name!r} again",
    )


def _are_wired(lab: Lab, host: Host, rules: int) -> bool:
    """True if there are as many rules as there were, and each port has its own and is flooded to."""
    found = _stated(lab, host)
    if is_kernel(host):
        return len(found) == rules
    floods = {number for rule in found for number in re.findall(r"output:(\d+)", rule)}
    enter = {number for rule in found for number in re.findall(r"in_port=(\d+)", rule)}
    numbers = set(map(str, _ofports(lab, host).values()))
    return len(found) == rules and numbers <= floods and numbers <= enter


def _stated(lab: Lab, host: Host) -> tuple[str, ...]:
    """What the controller wrote: rules of br-tun, or entries of VXLAN devices."""
    if is_kernel(host):
        shown = lab.run(host.name, "bridge", "fdb", "show")
        return tuple(line for line in shown.splitlines() if " dst " in line and is_static(line))
    said = lab.run(host.name, "ovs-ofctl", "--no-stats", "dump-flows", "br-tun")
    lines = (line for line in said.splitlines() if "actions=" in line)
    return tuple(line for line in lines if "hard_timeout" not in line.partition("actions=")[0])


def await_that(is_so: Callable[[], bool], what: str) -> None:
    """Wait for a condition.

    Raises:
        MeasureError: it does not come.
    """
    end = time.monotonic() + DEADLINE_S
    while not is_so():
        if time.monotonic() > end:
            raise MeasureError(
                f"no {what}",
                where="the lab",
                allowed=f"within {DEADLINE_S:g} s",
                do="Look at its controller.log.",
            )
        time.sleep(POLL_S)


def assert_all_heard(missing: Collection[str]) -> None:
    """Check that nobody is without the frame.

    Raises:
        MeasureError: it never came; without it no silence means anything.
    """
    if missing:
        raise MeasureError(
            f"no frame at {', '.join(missing)}",
            where="the first frame on the network",
            allowed="a frame that every guest hears",
            do="Look at br-tun of their hosts.",
        )
