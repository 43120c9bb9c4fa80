"""What became of a few pings of one size, from what ping said.  Pure: text in, values out.

Written for iputils; the texts of its errors are in ping/ping.c and ping/ping_common.c.
"""

import re
from dataclasses import dataclass

from controller.model.errors import MeasureError

IP_AND_ICMP = 28  # bytes: IPv4 20, ICMP echo 8 (RFC 791, RFC 792)
DO_NOT_FRAGMENT = {True: "do", False: "dont"}

TOTAL = re.compile(r"^(\d+) packets transmitted, (\d+) received", re.MULTILINE)
FRAG_NEEDED = re.compile(r"From (\S+) icmp_seq=\d+ Frag needed and DF set \(mtu = (\d+)\)")
LOCAL = re.compile(r"local error: [Mm]essage too long, mtu[=:]\s*(\d+)|sendmsg: Message too long")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pinged:
    """A few pings of one size."""

    sent: int
    answered: int
    told_mtu: int | None = None  # by an ICMP "fragmentation needed"
    told_by: str = ""  # its sender
    is_refused: bool = False  # by the sender's own kernel: message too long
    refused_mtu: int | None = None  # what the kernel said it knows

    @property
    def is_whole(self) -> bool:
        """True if every one came back."""
        return self.sent > 0 and self.answered == self.sent

    @property
    def is_settled(self) -> bool:
        """True if it need not be asked again: all came back, or somebody said why not."""
        return self.is_whole or self.is_refused or self.told_mtu is not None


def ping_argv(
    target: str, ip_bytes: int, *, df: bool, count: int, wait_s: float, preload: int | None = None
) -> tuple[str, ...]:
    """The pings of one size, all at once; replies are waited for `wait_s`.

    A kernel that refuses to send makes ping wait its interval, hence a short one.
    """
    return (
        "ping",
        "-n",
        "-D",
        "-M",
        DO_NOT_FRAGMENT[df],
        "-c",
        str(count),
        "-l",
        str(preload or count),
        "-i",
        "0.002",
        "-W",
        f"{wait_s:g}",
        "-s",
        str(ip_bytes - IP_AND_ICMP),
        target,
    )


def parse_sized(text: str) -> Pinged:
    """What became of them, from standard output and standard error together.

    Raises:
        MeasureError: there is no summary.
    """
    total = TOTAL.search(text)
    if total is None:
        last = text.strip().splitlines()[-1:] or ["nothing"]
        raise MeasureError(
            f"no `packets transmitted` line; the last line was {last[0]!r}",
            where="output of ping",
            allowed="the summary of iputils' ping",
            do="Look in raw/ for all of it; `overlaylab doctor` tells which ping is installed.",
        )
    needed, local = FRAG_NEEDED.search(text), LOCAL.search(text)
    return Pinged(
        sent=int(total[1]),
        answered=int(total[2]),
        told_mtu=int(needed[2]) if needed else None,
        told_by=needed[1] if needed else "",
        is_refused=local is not None,
        refused_mtu=int(local[1]) if local and local[1] else None,
    )
