"""docs/install.md names the packages that the Makefile installs."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_packages_are_those_of_the_makefile():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    packages = re.search(r"^DEBIAN := (.*)$", makefile, re.MULTILINE)
    assert packages
    assert f"    {packages[1]}\n" in (ROOT / "docs" / "install.md").read_text(encoding="utf-8")
