"""A running lab as a drawing: what its hosts have now, read from each of them."""

from concurrent.futures import ThreadPoolExecutor

from controller.model.parts import Host, Mechanism
from controller.switches.linuxbridge_worker import read_kernel
from controller.switches.reading import COLUMNS, parse_reading
from topologies.drawing.dot import Drawing
from topologies.drawing.overlay_drawing import draw_overlay
from topologies.drawing.ports import HostPorts, seen, seen_kernel
from topologies.drawing.sites_drawing import draw_sites
from topologies.lab.lab import Lab

AT_ONCE = 32  # hosts that are read at the same time
LISTS = tuple(
    word
    for table, columns in COLUMNS.items()
    for word in ("--", f"--columns={columns}", "list", table)
)


def drawing_of(lab: Lab, host: str | None = None) -> Drawing:
    """The drawing of a lab, or of one of its hosts.

    Raises:
        ModelError: it has no such host, or two sites and `host` is given.
        CommandError, LabError: a host cannot be read.
    """
    if lab.sites and host is None:
        return draw_sites(lab.sites)
    overlay = lab.overlay
    chosen = overlay.hosts if host is None else (overlay.host(host),)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        read = list(pool.map(lambda each: _read(lab, each), chosen))
    return draw_overlay(overlay, read)


def _read(lab: Lab, host: Host) -> HostPorts:
    """The bridges and ports of a host."""
    node, overlay = lab.node(host.name), lab.overlay
    index = int(node.facts["index"])
    if host.mechanism is Mechanism.LINUXBRIDGE:
        return seen_kernel(overlay, host, index, read_kernel(node.keeper.pid))
    listed = lab.run(host.name, "ovs-vsctl", "--timeout=5", "--format=json", *LISTS)
    reading = parse_reading(listed)
    return seen(overlay, host, index, reading)
