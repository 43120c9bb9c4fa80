"""A signal interrupts once, never during the cleanup, and is never forgotten."""

import os
import signal

import pytest

from topologies.lab.signals import NUMBERS, interrupts


@pytest.mark.parametrize("number", NUMBERS, ids=lambda number: number.name)
def test_a_signal_interrupts(number):
    before = signal.getsignal(number)
    with pytest.raises(KeyboardInterrupt, match=number.name), interrupts():
        os.kill(os.getpid(), number)
    assert signal.getsignal(number) == before


def test_a_deferred_signal_interrupts_at_the_end():
    done = []

    def clean_up():
        with interrupts() as signals:
            signals.shielded = True
            os.kill(os.getpid(), signal.SIGINT)
            done.append("cleaned up")

    with pytest.raises(KeyboardInterrupt):
        clean_up()
    assert done == ["cleaned up"]


def test_an_error_of_the_block_takes_precedence_over_a_deferred_signal():
    def fail():
        with interrupts() as signals:
            signals.shielded = True
            os.kill(os.getpid(), signal.SIGINT)
            raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        fail()


def test_a_second_signal_before_the_clean_up_is_deferred():
    done = []
    with interrupts() as signals:
        try:
            os.kill(os.getpid(), signal.SIGINT)
        except KeyboardInterrupt:
            os.kill(os.getpid(), signal.SIGINT)  # before anyone could shield
            done.append("went on")
        assert signals.pending
        signals.pending = False
    assert done == ["went on"]


def test_open_delivers_a_deferred_signal_once():
    with interrupts() as signals:
        signals.shielded = True
        os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(KeyboardInterrupt):
            signals.open()
        assert (signals.shielded, signals.pending) == (True, False)
