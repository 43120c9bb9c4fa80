"""Every error this project raises on purpose."""

from collections.abc import Iterable, Iterator, Mapping


class OverlayError(Exception):
    """An error with its place, what was found, what is allowed, and what to do next."""

    def __init__(self, found: str, *, where: str, allowed: str, do: str) -> None:
        super().__init__(f"{where}: {found}; allowed: {allowed}. {do}")
        self.found, self.where, self.allowed, self.do = found, where, allowed, do


class UsageError(OverlayError):
    """The command line names something that does not exist; exit 2."""


class ModelError(OverlayError):
    """The overlay description contradicts itself or a protocol limit: correct it; exit 2.

    Attributes:
        about: the part that the error is about, if its name alone does not say which.
        neutron: Neutron's exception for it, with the values of that exception's text.
    """

    def __init__(
        self,
        found: str,
        *,
        where: str,
        allowed: str,
        do: str,
        about: object = None,
        neutron: tuple[str, Mapping[str, object]] | None = None,
    ) -> None:
        super().__init__(found, where=where, allowed=allowed, do=do)
        self.about, self.neutron = about, neutron


class PipelineError(OverlayError):
    """A flow matches a field or jumps to a table that its table's row lacks: a bug of ours."""


class HostError(OverlayError):
    """The machine lacks something that the task needs, as `overlaylab doctor` shows; exit 4."""


class CommandError(OverlayError):
    """A command could not start, failed, or outlived its time."""


class WaitError(CommandError):
    """A condition did not become true in time."""


class SwitchError(OverlayError):
    """A switch did not answer, or refused a message."""


class LabError(OverlayError):
    """A lab is missing, taken, or broken."""


class MeasureError(OverlayError):
    """A measurement gave nothing that can be used: look in results/<run>/raw/."""


class ModelErrors(ModelError):  # noqa: N818  several errors
    """Several model errors, reported together so that all can be corrected at once."""

    def __init__(self, errors: Iterable[ModelError], *, lines: Iterable[str] = ()) -> None:
        """`lines`: the whole text, if it has more than the errors."""
        self.errors = tuple(errors)
        Exception.__init__(self, "\n".join(tuple(lines) or map(str, self.errors)))


def limit_errors(
    key: str, found: float, lowest: int, highest: int, *, where: str, do: str, unit: str = ""
) -> Iterator[ModelError]:
    """The error of a value that is not within lowest..highest."""
    if not lowest <= found <= highest:
        allowed = f"{lowest}..{highest}{unit}"
        yield ModelError(f"{key} {found}", where=where, allowed=allowed, do=do)


def raise_all(errors: Iterable[ModelError]) -> None:
    """Raise nothing, the one error, or all of them as one `ModelErrors`."""
    found = tuple(errors)
    if len(found) == 1:
        raise found[0]
    if found:
        raise ModelErrors(found)
