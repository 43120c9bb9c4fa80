"""A trace as the steps of a page: what happens, where, and with which headers.  Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from controller.flows.ports import BR_TUN
from experiments.cli.pages.headers import (
    Header,
    Headers,
    far_headers,
    guest_headers,
    is_tunnelled,
    near_headers,
    untagged,
    wire_headers,
)
from experiments.cli.pages.map import FAR, NEAR, SERVER, UNDERLAY, line_id, place_id

if TYPE_CHECKING:
    from topologies.trace.course import Course
    from topologies.trace.way import Stage, Step

DELIVERED, ANSWERED, LOST = "delivered", "answered", "lost"


@dataclass(frozen=True, slots=True, kw_only=True)
class PageStep:
    """One step.

    Attributes:
        where: the place in words: `controller, br-int`.
        title: what is there: `table 60, TRANSIENT_TABLE`.
        at: the place in the drawing.
        via: the line by which the frame came there; empty if it stayed.
        added, removed: names of headers, compared with the step before.
        copies: where other copies of the frame go, in words, if they leave here.
    """

    where: str
    title: str
    why: str
    at: str
    headers: Headers
    flow: str = ""
    is_learned: bool = False
    via: str = ""
    facts: tuple[str, ...] = ()
    added: tuple[Header, ...] = ()
    removed: tuple[Header, ...] = ()
    copies: tuple[str, ...] = ()
    shows_branches: bool = False


def steps_of(course: "Course") -> tuple[PageStep, ...]:
    """All steps, from the guest that sends to the outcome."""
    found: list[PageStep] = []
    for step in _steps(course):
        before = found[-1] if found else None
        found.append(_compared(step, before) if before else step)
    return tuple(found)


def _compared(step: PageStep, before: PageStep) -> PageStep:
    """The step with what is different from the one before."""
    had, has = before.headers.stack, step.headers.stack
    return replace(
        step,
        via=line_id(before.at, step.at) if before.at != step.at else "",
        added=tuple(header for header in has if header not in had),
        removed=tuple(header for header in had if header not in has),
        shows_branches=step.shows_branches or before.shows_branches,
    )


def _steps(course: "Course") -> Iterator[PageStep]:
    guest = guest_headers(course)
    yield PageStep(
        where=f"{course.source_host}, {course.source}",
        title=f"{course.source} sends",
        why=f"{course.frame}.",
        at=place_id(NEAR, SERVER),
        headers=guest,
        facts=course.facts,
    )
    near = list(near_headers(course))
    for at, (stage, step, headers) in enumerate(near):
        leaves = at == _last_of_bridges(near)
        made = _table(stage, step, headers, NEAR)
        yield replace(made, copies=course.others if leaves and course.others else ())
    if course.wire:
        yield _wire(course)
    for stage, step, headers in far_headers(course):
        yield _table(stage, step, headers, FAR)
    yield _end(course, near)


def _last_of_bridges(near: Sequence[tuple["Stage", "Step", Headers]]) -> int:
    """The step after which copies leave: the last one of br-tun, or of the last bridge."""
    tunnel = [at for at, (stage, *_) in enumerate(near) if stage.bridge == BR_TUN]
    return tunnel[-1] if tunnel else len(near) - 1


def _table(stage: "Stage", step: "Step", headers: Headers, end: str) -> PageStep:
    named = f"table {step.table}, {step.name}" if step.name else f"table {step.table}"
    return PageStep(
        where=f"{stage.host}, {stage.bridge}",
        title=named,
        why=step.why,
        at=place_id(end, stage.bridge),
        headers=headers,
        flow=step.flow,
        is_learned=step.learned,
    )


def _wire(course: "Course") -> PageStep:
    headers, guest = wire_headers(course), guest_headers(course)
    more = headers.size - guest.size
    tunnel = "in a tunnel packet" if is_tunnelled(course) else "without a tunnel"
    why = (
        f"{course.source_host} sends the frame to {course.target_host} {tunnel}: {headers.size} bytes, "
        f"{f'{more} more than' if more else 'as many as'} {course.source} sent."
    )
    return PageStep(
        where="underlay",
        title=f"from {course.source_host} to {course.target_host}",
        why=why,
        at=UNDERLAY,
        headers=headers,
        copies=course.others,
        shows_branches=True,
    )


def _end(course: "Course", near: Sequence[tuple["Stage", "Step", Headers]]) -> PageStep:
    """The outcome: at the target, back at the source, or where the frame was lost."""
    tables = list(far_headers(course)) or list(near)
    end = FAR if course.far else NEAR
    at = place_id(end, tables[-1][0].bridge)
    where, title = f"{tables[-1][0].host}, {tables[-1][0].bridge}", LOST
    headers = tables[-1][2]
    if course.wire and not course.far:
        at, where, headers = UNDERLAY, "underlay", wire_headers(course)
    if course.delivered:
        is_answered = not course.far and any(stage.bridge == BR_TUN for stage, *_ in near)
        headers = untagged(headers)
        name = course.source if is_answered else course.target
        host = course.source_host if is_answered else course.target_host
        at = place_id(NEAR if is_answered else FAR, SERVER)
        where, title = f"{host}, {name}", ANSWERED if is_answered else DELIVERED
    return PageStep(where=where, title=title, why=course.end, at=at, headers=headers)
