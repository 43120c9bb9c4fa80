"""The experiment `mtu`: what is the largest packet that passes, and what becomes of a larger one."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from controller.model.encap import network_mtu
from controller.model.overlay import Overlay
from controller.model.parts import Mechanism
from experiments.core.experiment import Context, Experiment, Lab, Measured, by_mode
from experiments.core.pairs import guests, narrowed
from experiments.core.question import Point, Row
from experiments.core.verdict import Thresholds
from experiments.measure.mtu_search import Found, largest_passing
from experiments.mtu.path import Path, Patience
from experiments.mtu.question import QUESTION
from experiments.mtu.sizes import outcomes, sizes
from experiments.mtu.tcp import Bulk, goodput, serving, tcp_row, transfer, transferring
from experiments.mtu.words import RIGHT, SOON_TOLD, TOO_LARGE

SMALLEST = 576  # bytes; every IPv4 host takes it (RFC 791), so every path should
GUESTS_ABOVE = 200  # bytes that guests' MTU is above the underlay's: the path answers, not they
ENDLESS = 10**12  # bytes: more than any transfer here takes
SEARCH = Patience(count=3, wait_s=0.06, tries=2)
CONFIRM = Patience(count=10, wait_s=0.15, tries=2)
EACH = Patience(count=5, wait_s=0.06, tries=1)  # where it vanished, the counters tell
BULK = Bulk(wanted_bytes=2**18, send_s=0.8, deadline_s=0.8)  # takes 10 ms where it passes
STREAM = Bulk(wanted_bytes=ENDLESS, send_s=0.1, deadline_s=0.3)
SYSCTLS = ("net.ipv4.tcp_mtu_probing", "net.ipv4.ip_no_pmtu_disc", "net.ipv4.tcp_base_mss")


def with_large_guests(overlay: Overlay, point: Point) -> Overlay:
    """The overlay in the mode and over the underlay of the point, guests' MTU above the underlay's."""
    underlay_mtu = int(point["underlay_mtu"])
    carried = by_mode(replace(overlay, underlay_mtu=underlay_mtu), point)
    large = tuple(replace(each, mtu=underlay_mtu + GUESTS_ABOVE) for each in carried.networks)
    return replace(carried, networks=large)


def predicted(overlay: Overlay, points: tuple[Point, ...]) -> tuple[Row, ...]:
    """Theory's largest packet for every point."""
    return tuple({**point, "largest_bytes": _in_theory(overlay, point)} for point in points)


def _in_theory(overlay: Overlay, point: Point) -> int:
    staged = with_large_guests(overlay, point)
    source, _ = guests(staged)
    network, host = staged.network_of[source.network_id], staged.host(source.host)
    return network_mtu(network.network_type, staged.underlay_mtu, ip_version=host.local_ip.version)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """Searches the largest packet, maps what becomes of others, and sends by TCP."""

    search: Patience = SEARCH
    confirm: Patience = CONFIRM
    each: Patience = EACH  # of the map
    bulk: Bulk = BULK
    goodput_on: tuple[int, ...] = (1500,)  # underlay MTUs
    goodput_mtus: tuple[int, ...] = (576, 1000, 1280)  # of guests, beside those round the limit
    goodput_round: tuple[int, ...] = (0, 8)  # bytes from the limit
    goodput_bulk: Bulk = STREAM
    transfers: int = 4  # of each goodput

    def __call__(self, lab: Lab, _point: Point, context: Context, /) -> Measured:
        """Measure one lab.

        Raises:
            MeasureError: not even a small packet passes, or ping could not be read.
        """
        source, target = guests(lab.overlay)
        path = Path(lab=lab, source=source, target=target, context=context)
        staged = lab.overlay.mtu_of(lab.overlay.network_of[source.network_id])
        context.say("searching the largest packet")
        Passing(path, self.confirm, "warm up")(SMALLEST)
        with serving(path):
            alone = self._alone(path)
            # What hangs only waits, so the search loses nothing by running meanwhile.
            with transferring(path, self.bulk, "too-large") as hanging:
                found = self._searched(path, staged)
            context.say("mapping what becomes of larger ones")
            mapped = tuple(self._mapped(path, found.largest, staged, TOO_LARGE))
            path.set_guest_mtu(found.largest)
            mapped += tuple(self._mapped(path, found.largest, found.largest, RIGHT))
            sent = transfer(path, self.bulk, "right")
            fast = self._goodput(path, found.largest, staged)
        report = (
            *((TOO_LARGE, staged, each) for each in alone),
            (SOON_TOLD if alone else TOO_LARGE, staged, hanging[0]),
            (RIGHT, found.largest, sent),
        )
        return Measured(
            rows=(self._row(found, staged, path),),
            more={
                "outcomes": mapped,
                "tcp": tuple(
                    {"guest": guest, "guest_mtu": mtu, **tcp_row(each, self.bulk)}
                    for guest, mtu, each in report
                ),
                "goodput": fast,
                "pings": tuple(path.tried),
            },
            facts={"sysctls": _sysctls(lab, source.device_id)},
        )

    def _alone(self, path: Path) -> tuple[Mapping[str, Any], ...]:
        """A transfer with nothing beside it, where the search's pings might be told what it is not."""
        host = path.lab.overlay.host(path.source.host)
        is_told = host.mechanism is Mechanism.LINUXBRIDGE
        return (transfer(path, self.bulk, "alone"),) if is_told else ()

    def _searched(self, path: Path, staged: int) -> Found:
        """The largest packet that passes with DF."""

        def passing(patience: Patience, why: str) -> "Passing":
            return Passing(path, patience, why)

        return largest_passing(
            passing(self.search, "search"),
            passing(self.confirm, "confirm"),
            low=SMALLEST,
            high=staged,
        )

    def _row(self, found: Found, staged: int, path: Path) -> Row:
        last = {row["ip_bytes"]: row for row in path.tried if row["why"] == "confirm"}
        at, over = last.get(found.largest, {}), last.get(found.largest + 1, {})
        return {
            "guest_mtu": staged,
            "largest_bytes": found.largest,
            "stopped_by": "path" if found.largest < staged else "guest's own MTU",
            "steps": found.steps,
            "resumed": found.resumed,
            "answered_at": at.get("answered"),
            "sent_at": at.get("sent"),
            "answered_above": over.get("answered"),
            "sent_above": over.get("sent"),
        }

    def _mapped(self, path: Path, limit: int, guest_mtu: int, guest: str) -> Iterator[Row]:
        named = sizes(
            limit, underlay_mtu=path.lab.overlay.underlay_mtu, guest_mtu=guest_mtu, guest=guest
        )
        return outcomes(path, named, limit, self.each, guest=guest, guest_mtu=guest_mtu)

    def _goodput(self, path: Path, limit: int, staged: int) -> tuple[Row, ...]:
        if path.lab.overlay.underlay_mtu not in self.goodput_on:
            return ()
        wanted = {*self.goodput_mtus, *(limit + step for step in self.goodput_round)}
        mtus = sorted(mtu for mtu in wanted if SMALLEST <= mtu <= staged)
        path.context.say("sending in bulk")
        with path.context.watch():
            return tuple(goodput(path, mtus, self.goodput_bulk, self.transfers))


@dataclass(frozen=True, slots=True)
class Passing:
    """Asks a path whether a size passes with DF, with some patience."""

    path: Path
    patience: Patience
    why: str

    def __call__(self, ip_bytes: int) -> bool:
        """True if every ping of that size came back."""
        return self.path.ping(ip_bytes, self.patience, df=True, why=self.why).is_complete


def _sysctls(lab: Lab, guest: str) -> dict[str, int]:
    values = lab.run(guest, "sysctl", "-n", *SYSCTLS).split()
    return dict(zip(SYSCTLS, map(int, values), strict=True))


EXPERIMENT = Experiment(
    question=QUESTION,
    probe=Sizes(),
    quick=Sizes(
        each=Patience(count=3, wait_s=0.04, tries=1),
        goodput_mtus=(576,),
        goodput_bulk=Bulk(wanted_bytes=ENDLESS, send_s=0.06, deadline_s=0.25),
        transfers=2,
    ),
    # Goodput is judged by factors, which a tenth of the time stolen cannot turn; the rest is exact.
    thresholds=Thresholds(cpu_steal_max=0.1, repeats_min=1),
    watches=True,
    repeats=1,
    quick_factors={"mode": ("flat", "gre-mesh", "vxlan-l2pop"), "underlay_mtu": (1500,)},
    narrow=narrowed,
    stage=with_large_guests,
    predict=predicted,
)
