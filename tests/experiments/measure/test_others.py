"""Which programs are neither a lab's nor the run's."""

import os

import pytest

from experiments.measure.others import foreign_ticks


def process(proc, pid, parent, ticks, *, name="p", namespace="net:[1]"):
    """An entry of /proc: the fields of stat(5) up to stime."""
    (proc / f"{pid}/ns").mkdir(parents=True)
    fields = f"{pid} ({name}) S {parent} " + "0 " * 9 + f"{ticks} 1 0 0"
    (proc / f"{pid}/stat").write_text(fields)
    (proc / f"{pid}/ns/net").symlink_to(namespace)


@pytest.fixture
def proc(tmp_path):
    process(tmp_path, 1, 0, 10)
    process(tmp_path, 100, 1, 20)  # this process
    process(tmp_path, 101, 100, 30)  # its child
    process(tmp_path, 102, 101, 30)
    process(tmp_path, 200, 1, 40, namespace="net:[2]")  # of a lab
    process(tmp_path, 2, 0, 50)  # kthreadd and a thread of the kernel
    process(tmp_path, 3, 2, 60)
    process(tmp_path, 300, 1, 70, name="a busy (loop)")
    (tmp_path / "self").symlink_to("100")
    return tmp_path


def test_processes_of_the_run_of_a_lab_and_of_the_kernel_are_left_out(proc):
    assert foreign_ticks(proc) == {1: 11, 300: 71}


def test_a_process_that_ends_meanwhile_is_left_out(proc):
    (proc / "300/stat").unlink()
    assert foreign_ticks(proc) == {1: 11}


def test_this_process_is_the_run_and_its_parent_is_not():
    found = foreign_ticks()

    assert os.getpid() not in found
    assert os.getppid() in found
