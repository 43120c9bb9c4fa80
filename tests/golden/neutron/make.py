"""Records what the real agents of Neutron 12.1.1 and 29.0.0 make of whole scenarios: see README.md.

    python -m tests.golden.neutron.make FOLDER [NAME ...]

FOLDER has the environments, and is filled if it is empty.  A name is `<scenario>.<mode>`; all of
`SCENARIOS` are recorded by default.
"""

import json
import os
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from controller.flows.pipeline import QUEENS, RELEASES
from controller.model.modes import parse_mode, with_mode
from controller.model.names import int_port_name
from controller.model.overlay import Overlay
from controller.model.parts import Host, Port
from topologies.scenario.load import load

HERE = Path(__file__).parent
OWN = "own"  # no mode: the scenario's own configuration
SCENARIOS = (
    "address-pairs.own",
    "egress-direct.own",
    "tunnel-options.own",
    "article.flat",
    "article.geneve-l2pop",
    "article.gre-l2pop-arp",
    "article.vlan",
    "article.vxlan-mesh",
    "article-dhcp.vxlan-l2pop-arp",
    "ipv6-vteps.l2pop-arp",
    "ipv6-vteps.own",
    "side-by-side.own",
    "types.l2pop",
    "types.l2pop-arp",
    "types.own",
)
WITH_ROWS = ("article.vlan", "types.own", "egress-direct.own", "tunnel-options.own")
AGENT_SECTION = frozenset(
    [
        "dont_fragment",
        "tunnel_csum",
        "vxlan_udp_port",
        "dscp",
        "dscp_inherit",
        "explicitly_egress_direct",
    ]
)  # the other options are in [ovs]
ENVIRONMENT_S = 3600.0  # for all hosts of all scenarios


def scenario(name: str, mode: str, release: str) -> Overlay:
    """A scenario in a mode: one that is shipped, or one of the folder `scenarios` here."""
    file = HERE / f"scenarios/{name}.yaml"
    overlay = load(str(file) if file.exists() else name).overlay
    return replace(with_mode(overlay, None if mode == OWN else parse_mode(mode)), release=release)


def described(overlay: Overlay) -> dict[str, Any]:
    """The overlay as `agent.py` reads it: options of agents, and ports as the server has them."""
    return {
        "name": overlay.name,
        "networks": [network.id for network in overlay.networks],
        "hosts": [_host(host) for host in overlay.hosts],
        "ports": [_port(overlay, port) for port in overlay.ports if port.host],
    }


def _host(host: Host) -> dict[str, Any]:
    types = [str(kind) for kind in host.tunnel_types]
    options = {name: value for name, value in asdict(host.agent).items() if value is not None}
    agent = {name: value for name, value in options.items() if name in AGENT_SECTION}
    return {
        "name": host.name,
        "local_ip": host.vtep,
        "tunnel_types": types,
        "bridge_mappings": host.bridge_mappings,
        "options": {
            "OVS": {
                "local_ip": host.vtep,
                "bridge_mappings": [":".join(pair) for pair in host.bridge_mappings],
                **{name: value for name, value in options.items() if name not in agent},
            },
            "AGENT": {
                "tunnel_types": types,
                **agent,
                "l2_population": host.l2_population,
                "arp_responder": host.arp_responder,
            },
        },
    }


def _port(overlay: Overlay, port: Port) -> dict[str, Any]:
    """A port as `RpcCallbacks.get_device_details` returns it, and the name of its device."""
    network = overlay.network_of[port.network_id]
    return {
        "device": port.id,
        "device_name": int_port_name(port.id),
        "port_id": port.id,
        "host": port.host,
        "network_id": port.network_id,
        "network_type": str(network.network_type),
        "segmentation_id": network.segmentation_id,
        "physical_network": network.physical_network,
        "mac_address": port.mac_address,
        "admin_state_up": port.admin_state_up,
        "fixed_ips": [{"subnet_id": "", "ip_address": str(ip)} for ip in port.fixed_ips],
        "device_owner": port.device_owner,
        "port_security_enabled": port.port_security_enabled,
        "allowed_address_pairs": [
            {"ip_address": pair.text, "mac_address": pair.mac_address or port.mac_address}
            for pair in port.allowed_address_pairs
        ],
        "profile": {},
    }


def prepare(folder: Path) -> None:
    """Install Neutron 29 in an environment, and unpack Neutron 12 beside it.

    Raises:
        CalledProcessError: pip failed; its message is on stderr.
    """
    if (folder / "ready").exists():
        return
    python = os.environ.get("PYTHON311", "python3.11")
    _call(python, "-m", "venv", "--clear", str(folder / "current"))
    pip = str(folder / "current/bin/pip")
    _call(pip, "install", "--quiet", "neutron==29.0.0")
    download = (pip, "download", "--quiet", "--no-deps", "--dest", str(folder))
    _call(*download, "neutron==12.1.1")
    _call(*download, "--no-binary", ":all:", "neutron-lib==1.13.0")
    with zipfile.ZipFile(folder / "neutron-12.1.1-py2.py3-none-any.whl") as wheel:
        wheel.extractall(folder / "queens")  # noqa: S202
    with tarfile.open(folder / "neutron-lib-1.13.0.tar.gz") as archive:
        archive.extractall(folder, filter="data")
    (folder / "neutron-lib-1.13.0/neutron_lib").rename(folder / "queens/neutron_lib")
    (folder / "ready").touch()


def _call(*command: str) -> None:
    subprocess.run(command, check=True, timeout=ENVIRONMENT_S)


def recorded(
    folder: Path, release: str, overlays: Iterable[Overlay]
) -> Iterator[dict[str, list[str]]]:
    """What the agent of `release` makes of each overlay: `flows` and `rows`, in lines.

    Needs root, since each Open vSwitch makes its devices in a network namespace.

    Raises:
        CalledProcessError: the agent failed; its traceback is on stderr.
    """
    python = str(folder / "current/bin/python")
    done = subprocess.run(
        [python, "-W", "ignore", str(HERE / "agent.py"), release],
        input=json.dumps([described(overlay) for overlay in overlays]),
        env={**os.environ, "PYTHONPATH": str(folder / "queens") if release == QUEENS else ""},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=ENVIRONMENT_S,
    )
    for line in done.stdout.splitlines():
        yield json.loads(line)


def main(folder: str, *names: str) -> None:
    """Write `<release>/<scenario>.<mode>.flows` and, of `WITH_ROWS`, `.rows` anew."""
    prepare(Path(folder))
    wanted = [name.rsplit(".", 1) for name in names or SCENARIOS]
    for release in RELEASES:
        overlays = [scenario(name, mode, release) for name, mode in wanted]
        results = recorded(Path(folder), release, overlays)
        for (name, mode), found in zip(wanted, results, strict=True):
            for kind in ("flows", "rows") if f"{name}.{mode}" in WITH_ROWS else ("flows",):
                text = "".join(f"{line}\n" for line in found[kind])
                (HERE / release / f"{name}.{mode}.{kind}").write_text(text, encoding="utf-8")
            print(f"{release} {name}.{mode}")


if __name__ == "__main__":
    main(*sys.argv[1:])
