"""Captures of several nodes in pcapng files with nanosecond timestamps, and tshark's reading of them.

A marker frame is sent on every interface when the capture begins and when it ends.  The first one
in the file proves that every later packet was captured; the last one proves that no packet is
still in a buffer, since dumpcap receives its packets in blocks.  A bridge does not forward
markers, and no kernel answers them.
"""

import re
import secrets
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from controller.model.errors import CommandError, MeasureError
from controller.system import commands
from controller.system.ownership import give_back
from controller.system.waiting import scaled, wait_for
from experiments.core.experiment import Lab
from experiments.measure.frames import EXPERIMENT, NONCE, PAUSE, marker
from experiments.measure.packets import INTERFACE, NODE, REPEATED, STAMP, Packet
from experiments.measure.pcapng import has_packet, interfaces_in
from experiments.measure.sockets import Send, senders

READY_S = 10.0
FLUSH_S = 10.0  # the kernel passes a block on after 250 ms
DECODE_S = 120.0
POLL_S = 0.002
PLACE = ("frame.section_number", "frame.interface_id")
DROPS = re.compile(
    r"^Packets received/dropped on interface '(?P<interface>.+)': \d+/\d+ "
    r"\(pcap:(?P<pcap>\d+)/dumpcap:(?P<dumpcap>\d+)/flushed:\d+/ps_ifdrop:(?P<device>\d+)\)",
    re.MULTILINE,
)
HEAD = 2**16  # bytes: room for the descriptions of some hundred interfaces
UNMARKED = f"!(arp.opcode == {EXPERIMENT} && eth.dst == {PAUSE})"

Markers = tuple[bytes, ...]  # one frame for each interface, in their order


class Captures(dict[str, Path]):
    """Files by node; after the capture also dropped packets by node and interface."""

    def __init__(self) -> None:
        super().__init__()
        self.dropped: dict[tuple[str, str], int] = {}


@dataclass(slots=True)
class _Dumpcap:
    """One dumpcap process and its files."""

    node: str
    interfaces: tuple[str, ...]
    file: Path
    messages: Path  # its standard error
    child: "subprocess.Popen[bytes]"
    senders: Mapping[str, Send] = field(default_factory=dict)
    first: Markers = ()


@contextmanager
def capturing(
    lab: Lab, where: Mapping[str, tuple[str, ...]], path: Callable[[str], Path]
) -> Iterator[Captures]:
    """Capture on the interfaces of each node while the block runs; `path` gives the path of a file.

    Every packet of the block is in the files, from the first to the last.

    Raises:
        CommandError: dumpcap failed, for example because an interface does not exist.
        WaitError: a capture was not ready in time.
        MeasureError: a capture lacks its first markers or its count of dropped packets.
    """
    found, dumpcaps = Captures(), list[_Dumpcap]()
    with ExitStack() as stack:
        stack.callback(_end, dumpcaps)
        for node, interfaces in where.items():
            dumpcaps.append(_started(lab, node, interfaces, path))
        for each in dumpcaps:
            _await(each, partial(_has_header, each), "its header", READY_S)
            each.senders = stack.enter_context(senders(lab.pid(each.node), each.interfaces))
            each.first = _mark(each)
        found.update((each.node, each.file) for each in dumpcaps)
        yield found
        last = [(each, each.file.stat().st_size, _mark(each)) for each in dumpcaps]
        for each, size, markers in last:
            is_written = partial(_has_all, each.file, markers, size)
            _await(each, is_written, "its last marker frames", FLUSH_S)
    for each in dumpcaps:
        if not _has_all(each.file, each.first):
            raise _incomplete(each, "the first marker frames are missing")
        dropped = parse_drops(each.node, each.messages.read_text(errors="replace"))
        if len(dropped) < len(set(each.interfaces)):  # it was killed
            raise _incomplete(each, "it did not report dropped packets")
        found.dropped.update(dropped)


def _started(
    lab: Lab, node: str, interfaces: tuple[str, ...], path: Callable[[str], Path]
) -> _Dumpcap:
    file, messages = path(f"{node}.pcapng"), path(f"{node}.dumpcap.txt")
    options = (word for name in interfaces for word in ("-i", name))
    # dumpcap gives up the right of root to write anywhere: it gets open files.
    with file.open("wb") as out, messages.open("wb") as err:
        give_back(file)
        give_back(messages)
        argv = ("dumpcap", "-q", "-n", *options, "-w", "-")
        child = lab.start(node, *argv, stdout=out, stderr=err)
    return _Dumpcap(node, interfaces, file, messages, child)


def _end(dumpcaps: Sequence[_Dumpcap]) -> None:
    """End all processes at the same time with SIGINT."""
    for each in dumpcaps:
        if each.child.poll() is None:
            each.child.send_signal(signal.SIGINT)
    for each in dumpcaps:
        try:
            each.child.wait(timeout=scaled(FLUSH_S))
        except subprocess.TimeoutExpired:  # all wanted packets are in its file already
            each.child.kill()
            each.child.wait()


def _has_header(each: _Dumpcap) -> bool:
    """True if all interfaces are in the file: dumpcap writes its header when all are open."""
    return len(_names(each.file)) == len(each.interfaces)


def _names(file: Path) -> tuple[str, ...]:
    with file.open("rb") as found:
        return interfaces_in(found.read(HEAD))


def _mark(each: _Dumpcap) -> Markers:
    """Send a different marker on every interface."""
    markers = tuple(marker(secrets.token_bytes(NONCE)) for _ in each.interfaces)
    for name, frame in zip(each.interfaces, markers, strict=True):
        each.senders[name](frame)
    return markers


def _has_all(file: Path, markers: Markers, since: int = 0) -> bool:
    """True if all markers are in the part of the file from byte `since` on."""
    with file.open("rb") as found:
        found.seek(since)
        data = found.read()
    return all(has_packet(data, frame, index) for index, frame in enumerate(markers))


def _await(each: _Dumpcap, is_there: Callable[[], bool], what: str, timeout_s: float) -> None:
    """Wait until dumpcap has written something to its file.

    Raises:
        CommandError: it has ended before.
        WaitError: it has not written it in time.
    """

    def is_written() -> bool:
        status = each.child.poll()
        is_found = is_there()
        if status is not None and not is_found:
            raise CommandError(
                each.messages.read_text(errors="replace").strip() or f"exit status {status}",
                where=f"dumpcap on {', '.join(each.interfaces)} in {each.node!r}",
                allowed=f"a capture with {what}",
                do="`ip link` in that node lists its interfaces.",
            )
        return is_found

    wait_for(
        is_written, timeout_s, what=f"dumpcap in {each.node!r} to write {what}", every_s=POLL_S
    )


def _incomplete(each: _Dumpcap, found: str) -> MeasureError:
    return MeasureError(
        found,
        where=f"dumpcap on {', '.join(each.interfaces)} in {each.node!r}",
        allowed="a capture with every packet",
        do=f"See {each.messages.name} beside {each.file}; the machine may be overloaded.",
    )


def parse_drops(node: str, text: str) -> dict[tuple[str, str], int]:
    """Packets that the file lacks, from the last lines of dumpcap.

    Flushed packets arrived after the last marker and do not count.
    """
    return {
        (node, line["interface"]): sum(int(line[part]) for part in ("pcap", "dumpcap", "device"))
        for line in DROPS.finditer(text)
    }


def decoded(
    files: Path | Mapping[str, Path], fields: Sequence[str], display_filter: str = ""
) -> list[Packet]:
    """The packets as tshark dissects them, file by file, each in the order of its file.

    Besides the requested fields each has `node` (the key of the file, or its name without suffix),
    `frame.interface_name` and `frame.time_epoch`.  `all_of` splits a field that occurs several
    times.  Markers are left out.

    Raises:
        CommandError: tshark refused a file, a field, or the filter.
    """
    named = {files.stem: files} if isinstance(files, Path) else dict(files)
    wanted = tuple(dict.fromkeys((STAMP, *fields)))
    shown = f"({display_filter}) && {UNMARKED}" if display_filter else UNMARKED
    with tempfile.NamedTemporaryFile(suffix=".pcapng") as joined:
        # Several pcapng files in a row are one pcapng file with several sections.
        for file in named.values():
            joined.write(file.read_bytes())
        joined.flush()
        argv = ["tshark", "-n", "-r", joined.name, "-Y", shown, "-T", "fields"]
        for option in ("occurrence=a", f"aggregator={REPEATED}", "separator=/t"):
            argv += ["-E", option]
        for name in (*PLACE, *wanted):
            argv += ["-e", name]
        lines = commands.run(*argv, timeout_s=DECODE_S).splitlines()
    sections = [(node, _names(file)) for node, file in named.items()]
    packets: list[Packet] = []
    for line in lines:
        section, interface, *values = line.split("\t")
        node, names = sections[int(section) - 1]
        # tshark 4.0 names interfaces by the first section; these names are the files'.
        place = {NODE: node, INTERFACE: names[int(interface)]}
        packets.append({**place, **dict(zip(wanted, values, strict=True))})
    return packets
