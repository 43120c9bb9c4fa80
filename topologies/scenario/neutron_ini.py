"""Neutron's .ini files, read as Neutron reads them: by oslo.config's own parser."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from oslo_config.iniparser import BaseParser

from topologies.scenario.file import Place, Problems, read_text, shown


@dataclass(frozen=True, slots=True)
class Setting:
    """One option as it was written: its text, where it stood, and how an error names it."""

    text: str
    place: Place
    key: str


Settings = Mapping[tuple[str, str], Setting]  # (section, option) -> the last one written


@dataclass(frozen=True, slots=True)
class IniFile:
    """What one .ini file says."""

    name: str
    settings: Settings
    sections: Mapping[str, Place]

    def place_for(self, section: str) -> Place:
        """Where an option of `section` would have to stand."""
        return self.sections.get(section, Place(self.name, 1))


def read_ini(path: Path, problems: Problems, *, where: str) -> IniFile:
    """Read one file; lines that are no ini syntax are noted in `problems`.

    Raises:
        ModelError: the file cannot be read.
    """
    name = shown(path)
    parser = _Parser(name, problems)
    # The blank line ends the last assignment, so that its line number is known.
    parser.parse([*read_text(path, where=f"{where} ({name})").split("\n"), ""])
    return IniFile(name, parser.settings, parser.sections)


class _Parser(BaseParser):
    """Keeps line numbers, and goes on after an error."""

    def __init__(self, name: str, problems: Problems) -> None:
        super().__init__()
        self.name, self.problems, self.section = name, problems, "DEFAULT"
        self.settings: dict[tuple[str, str], Setting] = {}
        self.sections: dict[str, Place] = {}

    def assignment(self, key: str, value: list[str]) -> None:
        # Called on reading the line that ends it: the line after its last.
        place = Place(self.name, self.lineno - len(value))
        shown_as = f"[{self.section}] {key}"
        self.settings[self.section, key] = Setting("\n".join(value), place, shown_as)

    def new_section(self, section: str) -> None:
        # oslo.config compares section names in lower case, but for DEFAULT.
        self.section = section if section == "DEFAULT" else section.lower()
        self.sections.setdefault(self.section, Place(self.name, self.lineno))

    def error_invalid_assignment(self, line: str) -> tuple[str, list[str]]:  # type: ignore[override]
        self._note(f"{line!r} has neither '=' nor ':'", "Write `option = value`.")
        return "", []

    def error_empty_key(self, line: str) -> None:  # type: ignore[override]
        if "=" in line or ":" in line:
            self._note(f"{line!r} has no option before the sign", "Write `option = value`.")

    def error_unexpected_continuation(self, line: str) -> None:  # type: ignore[override]
        self._note(
            f"{line.strip()!r} is indented, but continues nothing", "Remove the indentation."
        )

    def error_no_section_end_bracket(self, line: str) -> None:  # type: ignore[override]
        self._note(f"{line!r} lacks its closing bracket", "Write `[section]`.")

    def error_no_section_name(self, line: str) -> None:  # type: ignore[override]
        self._note(f"{line!r} names no section", "Write `[section]`.")

    def _note(self, found: str, do: str) -> None:
        place = Place(self.name, self.lineno)
        allowed = "[section], option = value, a comment, or an indented continuation"
        self.problems.add(place, "", found, allowed=allowed, do=do)
