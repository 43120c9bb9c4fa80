"""Explanations of flows as lines, table by table.  Pure."""

import textwrap
from collections.abc import Iterator

from controller.explain.flow import Explainer
from controller.flows.pipeline import Flow
from controller.flows.text import flow_text, ordered

WIDTH = 100  # columns; flows are not wrapped, so that they can be searched for
INDENT = " " * 6


def explained(explainer: Explainer[Flow]) -> Iterator[str]:
    """Every flow with its explanation, below a heading for each table."""
    table = None
    for flow in ordered(explainer.flows):
        if flow.table != table:
            yield from () if table is None else ("",)
            name = explainer.names.table(flow.bridge, flow.table)[0]
            yield f"table {flow.table:d}, {name}: {flow.why}"
            table = flow.table
        yield f"  {flow_text(flow)}"
        yield from wrapped(explainer.explain(flow), INDENT)


def wrapped(text: str, indent: str = "") -> list[str]:
    """`text` in lines of WIDTH columns; names and addresses are not broken."""
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
