"""The examples of docs/extend.md, by the file name in their first line."""

import re
from pathlib import Path

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "extend.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(?:python|yaml)\n(# (\S+)\n.*?)```", TEXT, re.DOTALL)
EXAMPLES = {name: text for text, name in BLOCKS}
CONSOLES = re.findall(r"```console\n(.*?)```", TEXT, re.DOTALL)


def written(folder, name):
    """The example as the file a user would make of it."""
    path = folder / name
    path.write_text(EXAMPLES[name], encoding="utf-8")
    return path
