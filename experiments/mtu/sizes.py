"""What becomes of each size around the limit and above it, with and without DF."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from experiments.core.question import Row
from experiments.measure.ping import SizedPings
from experiments.mtu.path import Path, Patience, outcome_of, went_as_far_as
from experiments.mtu.words import (
    ABOVE_GUEST,
    ALSO,
    CONTROL_AFTER,
    CONTROL_BEFORE,
    GUEST,
    LIMIT,
    OVER,
    SIZES,
    TWICE,
    UNDER,
    UNDERLAY,
    WELL_UNDER,
)

DOUBTED = 3  # times that a size which ought to pass is tried: a machine may stall for a moment
IP_MAX = 65535  # bytes; total length is 16 bits wide (RFC 791)


def sizes(limit: int, *, underlay_mtu: int, guest_mtu: int, guest: str) -> dict[int, str]:
    """Sizes of IP packets to try [bytes], each with all names it has."""
    known = {
        WELL_UNDER: limit - UNDER,
        LIMIT: limit,
        OVER: limit + 1,
        UNDERLAY: underlay_mtu,
        GUEST: guest_mtu,
        ABOVE_GUEST: guest_mtu + 1,
        TWICE: min(2 * limit, IP_MAX),
    }
    named: dict[int, list[str]] = {}
    for name in SIZES[guest]:
        named.setdefault(known[name], []).append(name)
    return {size: ALSO.join(names) for size, names in sorted(named.items())}


def outcomes(
    path: Path,
    named: Mapping[int, str],
    limit: int,
    patience: Patience,
    *,
    guest: str,
    guest_mtu: int,
) -> Iterator[Row]:
    """A row per size, with DF and without; the limit itself before and after proves the path."""
    wanted = (
        (limit, CONTROL_BEFORE, True),
        *((size, name, df) for df in (True, False) for size, name in named.items()),
        (limit, CONTROL_AFTER, True),
    )
    before = path.carried(), path.fragments()
    for ip_bytes, name, df in wanted:
        ought_to_pass = ip_bytes <= limit or (not df and guest_mtu <= limit)
        tries = max(patience.tries, DOUBTED if ought_to_pass else 1)
        pinged, sent = _pinged(path, ip_bytes, name, replace(patience, tries=tries), df=df)
        after = path.carried(), path.fragments()
        grown = {place: after[0][place] - before[0][place] for place in after[0]}
        yield {
            "guest": guest,
            "guest_mtu": guest_mtu,
            "size": name,
            "ip_bytes": ip_bytes,
            "df": int(df),
            **_row(pinged, after[1] - before[1], grown, ip_bytes * sent),
        }
        before = after


def _pinged(
    path: Path, ip_bytes: int, name: str, patience: Patience, *, df: bool
) -> tuple[SizedPings, int]:
    """The last run of ping of a size, and the packets of all of them."""
    first = len(path.tried)
    pinged = path.ping(ip_bytes, patience, df=df, why=name)
    return pinged, sum(int(row["sent"] or 0) for row in path.tried[first:])


def _row(pinged: SizedPings, fragments: int, grown: Mapping[str, int], sent_bytes: int) -> Row:
    return {
        "sent": pinged.sent,
        "answered": pinged.answered,
        "outcome": outcome_of(pinged, fragments),
        "told_mtu": pinged.icmp_mtu or pinged.refused_mtu,
        "told_by": pinged.icmp_from,
        "fragments": fragments,
        **{f"{place}_bytes": count for place, count in grown.items()},
        "went_as_far_as": went_as_far_as(sent_bytes, grown),
    }
