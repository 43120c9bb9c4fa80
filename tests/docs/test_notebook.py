"""docs/notebook.ipynb runs from its first cell to its last picture."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

pytestmark = [
    pytest.mark.root,
    # zmq and ipykernel leave sockets and loops to the end of the process.
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
ROOT = Path(__file__).parents[2]


def test_the_notebook_runs_and_draws_its_pictures(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("MPLBACKEND", "module://matplotlib_inline.backend_inline")
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "reference").symlink_to(ROOT / "results" / "reference")
    notebook = nbformat.read(ROOT / "docs" / "notebook.ipynb", as_version=4)

    NotebookClient(
        notebook, timeout=90, resources={"metadata": {"path": str(tmp_path)}}, kernel_name="python3"
    ).execute()

    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert sum("image/png" in output.get("data", {}) for output in outputs) == 3
    assert any("Verdict: trusted" in output.get("text", "") for output in outputs)
