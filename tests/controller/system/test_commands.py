"""Processes that are left running."""

import gc
import warnings

from controller.system import commands


def test_a_started_process_may_outlive_its_object_without_a_warning():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        child = commands.start("sleep", "1")
        del child
        gc.collect()

    assert [str(each.message) for each in caught] == []
