"""Any text, explained.  Pure."""

from dataclasses import dataclass

from controller.explain.bridge import DumpedBridge
from controller.explain.paste import parse_paste
from controller.explain.recognise import bridges
from controller.explain.traced import Traced, traced


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a text shows.

    Attributes:
        unread: (line number, line) of what was not understood.
    """

    bridges: tuple[DumpedBridge, ...]
    traces: tuple[Traced, ...]
    unread: tuple[tuple[int, str], ...]
    has_text: bool

    @property
    def is_empty(self) -> bool:
        """Whether the text shows neither flows nor a trace."""
        return not self.bridges and not self.traces


def explanation(text: str) -> Explanation:
    """The bridges and traces in a text."""
    paste = parse_paste(text)
    known = [b for b in bridges(paste) if any(flow.is_flow for flow in b.flows)]
    traces = tuple(traced(text, paste) for text in paste.traces)
    traces = tuple(trace for trace in traces if trace.stages)
    return Explanation(tuple(known), traces, tuple(paste.unread), bool(text.strip()))
