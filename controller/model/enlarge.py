"""The same overlay with another number of hosts.  Pure."""

import re
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
    last = made[-1].name
    stem = re.sub(r"[0-9]+$", "", last)
    numbered = (f"{stem}{number}" for number in count(int(last[len(stem) :] or 1) + 1))
    taken = {*RESERVED, *overlay.host_of, *(port.device_id for port in overlay.ports)}
    names = (name for name in numbered if name not in taken)
    while len(made) < hosts:
        address = next_address(host.local_ip for host in made)
        made.append(replace(made[-1], name=next(names), local_ip=address))
    return replace(overlay, hosts=tuple(made))
