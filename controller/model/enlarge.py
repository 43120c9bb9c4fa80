"""The same overlay with another number of hosts.  Pure."""

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import count

from controller.model.addresses import next_address
from controller.model.check import HOSTS_MAX, RESERVED
from controller.model.errors import UsageError
from controller.model.overlay import Overlay


def enlarge(overlay: Overlay, hosts: int) -> Overlay:
    """`overlay` with `hosts` hosts; new ones are copies of the last one, without ports.

    Names and addresses continue those of the last host: computer, computer2, computer3, ...

    Raises:
        UsageError: fewer than there are, or more than a lab can have.
    """
    have = len(overlay.hosts)
    if not have <= hosts <= HOSTS_MAX:
        raise UsageError(
            f"{hosts} hosts",
            where=f"overlay {overlay.name!r}",
            allowed=f"{have}..{HOSTS_MAX} (it has {have})",
            do="Pick a number in that range.",
        )
    made = list(overlay.hosts)
    names = _free_names(overlay)
    while len(made) < hosts:
        address = next_address(host.local_ip for host in made)
        made.append(replace(made[-1], name=next(names), local_ip=address))
    return replace(overlay, hosts=tuple(made))


def _free_names(overlay: Overlay) -> Iterator[str]:
    taken = {host.name for host in overlay.hosts} | {port.device_id for port in overlay.ports}
    last = overlay.hosts[-1].name
    stem = re.sub(r"[0-9]+$", "", last)
    first = int(last[len(stem) :] or 1) + 1
    names = (f"{stem}{number}" for number in count(first))
    return (name for name in names if name not in taken and name not in RESERVED)
