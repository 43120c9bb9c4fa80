"""How many inputs a fuzz test tries, and what every answer must be."""

import io
import os
import time
from collections import Counter
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

from hypothesis import HealthCheck, settings

from experiments.cli.main import main
from experiments.cli.status import Status

IS_LONG = os.environ.get("HYPOTHESIS_PROFILE") == "fuzz"
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "100"))
CPU_S = 10.0  # of one input; meant is one second, on a machine that does nothing else
UNTIL_S = float(os.environ.get("FUZZ_UNTIL", "inf"))  # seconds of the clock; no test begins later
KNOWN = {int(status) for status in Status}
ERRORS = "overlaylab: "
TRIED: Counter[str] = Counter()


def tried(short: int):
    """Settings of a fuzz test: `short` inputs, always the same, or under `make fuzz` many new ones."""
    return settings(
        max_examples=EXAMPLES if IS_LONG else short,
        derandomize=not IS_LONG,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )


def count(kind: str) -> None:
    """Count an input that was tried."""
    TRIED[kind] += 1


def answered(kind: str, *words: str) -> tuple[int, str, str]:
    """Status, stdout and stderr of a command line; it ends in time, and as documented."""
    count(kind)
    out, err = io.StringIO(), io.StringIO()
    started = time.process_time()
    with redirect_stdout(out), redirect_stderr(err):
        status = main(list(words))
    spent = time.process_time() - started
    text = err.getvalue()
    assert status in KNOWN, (status, text)
    assert "Traceback" not in text, text
    assert "refused, but no error was recorded" not in text, text
    assert spent < CPU_S, f"{spent:.1f} s"
    if status == Status.WRONG_USE:
        assert text.strip(), "no error"
    assert all(line.startswith((ERRORS, "warning")) for line in text.splitlines()), text
    return int(status), out.getvalue(), text


def drafts(folder: Path) -> list[str]:
    """Half-made files below a folder."""
    return [path.name for path in folder.rglob("*.new")]
