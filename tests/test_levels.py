"""tests/conftest.py itself: which skips are refused, and that evidence is shown."""

from pathlib import Path

import pytest

from tests.conftest import is_refused

pytest_plugins = ["pytester"]


@pytest.mark.parametrize(
    ("reason", "environment", "is_one"),
    [
        ("Skipped: needs root", {"NEED_ROOT": "1"}, True),
        ("Skipped: needs root", {}, False),
        ("Skipped: needs root", {"NEED_ROOT": "0"}, False),
        ("Skipped: needs root", {"NEED_RYU": "1"}, False),
        ("needs Ryu: `make ready-ryu` installs it", {"NEED_RYU": "1"}, True),
        ("no python2.7 here", {"NEED_ROOT": "1", "NEED_RYU": "1"}, False),
        ("uprooted", {"NEED_ROOT": "1"}, False),
    ],
)
def test_a_skip_is_refused_where_its_want_had_to_be_met(reason, environment, is_one):
    assert is_refused(reason, environment) is is_one


CALL = "import pytest\ndef test(): pytest.skip('needs {need}')"
MARK = "import pytest\n@pytest.mark.skipif(True, reason='needs {need}')\ndef test(): pass"
MODULE = "import pytest\npytest.skip('needs {need}', allow_module_level=True)"
EVIDENCE = """
import pytest

@pytest.fixture
def lab(evidence):
    state = ["flows are here"]
    evidence("dump-flows", lambda: state[0])
    evidence("broken", lambda: 1 / 0)
    yield
    state[0] = "torn down"

def test(lab):
    assert {holds}
"""


@pytest.fixture
def outcome(pytester, monkeypatch):
    """Run test files under our conftest, NEED_ROOT and NEED_RYU as given; pytest's own account."""

    def run(need: str, *options: str, **texts: str) -> pytest.RunResult:
        conftest = Path(__file__).resolve().parents[0] / "conftest.py"
        folder = pytester.path / "tests" / "pure"
        folder.mkdir(parents=True)
        (folder.parent / "conftest.py").write_text(conftest.read_text("utf-8"))
        for name, text in texts.items():
            (folder / f"test_{name}.py").write_text(text)
        (pytester.path / "pytest.ini").write_text("[pytest]\nmarkers =\n pure\n root\n smoke\n")
        monkeypatch.setenv("NEED_ROOT", need)
        monkeypatch.setenv("NEED_RYU", need)
        options = options or ("-m", "pure")
        return pytester.runpytest_subprocess(*options, "-p", "no:cacheprovider", "tests")

    return run


def test_a_module_may_not_skip_itself_either(outcome):
    done = outcome("1", module=MODULE.format(need="root"), other=CALL.format(need="python2.7"))
    done.assert_outcomes(errors=1)  # pytest stops at the module that cannot be collected
    done.stdout.fnmatch_lines(["*needs root - and it may not be skipped here*"])


def test_a_failing_test_shows_its_evidence_from_before_its_end(outcome):
    done = outcome(
        "1",
        call=CALL.format(need="root"),
        mark=MARK.format(need="Ryu"),
        other=CALL.format(need="python2.7"),
        failing=EVIDENCE.format(holds=False),
        passing=EVIDENCE.format(holds=True),
    )
    done.assert_outcomes(errors=1, failed=2, passed=1, skipped=1)  # a mark skips in the set-up
    told = done.stdout.str()
    assert told.count("flows are here") == told.count("no evidence: ZeroDivisionError") == 1
    assert "torn down" not in told.partition("- dump-flows -")[2]
    assert "needs Ryu - and it may not be skipped here" in told


def test_elsewhere_a_skip_is_a_skip(outcome):
    texts = {"call": CALL, "mark": MARK, "module": MODULE}
    done = outcome("", **{name: text.format(need="root") for name, text in texts.items()})
    done.assert_outcomes(skipped=3)


@pytest.mark.parametrize(("chosen", "runs"), [("yes", "root smoke"), ("no", "pure plain")])
def test_each_half_of_the_tests_leaves_out_the_other(outcome, chosen, runs):
    marked = "import pytest\n@pytest.mark.{0}\ndef test_{0}(): pass"
    texts = {level: marked.format(level) for level in ("pure", "root", "smoke")}
    texts["plain"] = "def test_plain(): pass"

    done = outcome("", f"--needs-root={chosen}", "--collect-only", "-q", **texts)

    assert {line.split("_")[-1] for line in done.outlines if "::" in line} == set(runs.split())
    done.stdout.fnmatch_lines(["2/4 tests collected (2 deselected)*"])
