"""The path of a traced frame as one self-contained HTML page.  Pure.

It asks for nothing from outside, and a policy in it forbids that.  Without JavaScript every step is
there, one below the other.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from controller.system.files import printable
from experiments.cli.pages.map import fitted, map_of
from experiments.cli.pages.steps import ANSWERED, DELIVERED, LOST, steps_of

if TYPE_CHECKING:
    from topologies.trace.course import Course

OUTCOMES = {DELIVERED: "Arrives.", ANSWERED: "Is answered.", LOST: "Does not arrive."}


def as_html(course: "Course") -> str:
    """The page."""
    made = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=lambda value: printable(value) if type(value) is str else value,
    )
    made.filters["fitted"] = fitted
    template = made.get_template("trace.html")
    steps = steps_of(course)
    outcome = OUTCOMES[steps[-1].title]
    return template.render(course=course, steps=steps, map=map_of(course), outcome=outcome)
