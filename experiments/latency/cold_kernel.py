"""What a first ping may find cold where Linux bridges and the kernel's VXLAN carry it.

There is no Open vSwitch to ask: no megaflow, no flow that is learned.  The kernel looks for a
VTEP's MAC without dropping what waits for it, and was told all of them anyway.
"""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from controller.flows.linuxbridge import ALL
from controller.model.names import vxlan_name

if TYPE_CHECKING:
    from experiments.latency.cold import Cold, Scene

KERNEL_AS_RAISED, KERNEL_ARP, KERNEL_FDB = "kernel-as-raised", "kernel-guest-arp", "kernel-fdb"
BECAUSE_STATED = "l2population states where the far guest is, and the device learns nothing"


def fdb_device(scene: "Scene") -> str:
    """The VXLAN device of the guests' network."""
    network = scene.overlay.network_of[scene.source.network_id]
    return vxlan_name(network.segmentation_id or 0)


def is_in_fdb(scene: "Scene") -> bool:
    """True if the source's VXLAN device knows the target's VTEP, told or learned."""
    report = scene.look(scene.source.host, "bridge", "fdb", "show", "dev", fdb_device(scene))
    lines = (line.split() for line in report.splitlines())
    mac = scene.target.mac_address
    return any(words[:1] == [mac] and "dst" in words for words in lines if words[0] != ALL)


def kernel_colds(scene: "Scene") -> Iterator["Cold"]:
    """What can be cold in such a lab."""
    from experiments.latency.cold import Cold

    source = scene.source

    def forget() -> None:
        scene.lab.run(
            source.host,
            "bridge",
            "fdb",
            "del",
            scene.target.mac_address,
            "dev",
            fdb_device(scene),
            "dst",
            scene.far_vtep,
        )

    def forget_mac() -> None:
        scene.lab.run(source.device_id, "ip", "-4", "neigh", "flush", "dev", "eth0")

    yield Cold(name=KERNEL_ARP, known=scene.is_arp_known, flush=forget_mac)
    if scene.is_learned:
        yield Cold(name=KERNEL_FDB, known=lambda: is_in_fdb(scene), flush=forget)


def kernel_as_raised(scene: "Scene") -> dict[str, object]:
    """What the first ping of all will find already known."""
    return {"guest_arp_known": scene.is_arp_known(), "far_guest_in_fdb": is_in_fdb(scene)}


def kernel_absent(scene: "Scene") -> Mapping[str, str]:
    """Why a level has no samples in such a lab."""
    return {} if scene.is_learned else {KERNEL_FDB: BECAUSE_STATED}
