"""Sockets whose descriptors are too large for `select`, as in a lab with many open files."""

import os
import resource
import socket
from contextlib import ExitStack, contextmanager

SELECT_MOST = 1024  # FD_SETSIZE of glibc


@contextmanager
def high_socket_pairs(count):
    """Pairs of connected sockets; all descriptors are above FD_SETSIZE."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with ExitStack() as undo:
        undo.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        while (opened := os.open(os.devnull, os.O_RDONLY)) < SELECT_MOST:
            undo.callback(os.close, opened)
        undo.callback(os.close, opened)
        made = [socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM) for _ in range(count)]
        for each in (end for pair in made for end in pair):
            undo.enter_context(each)
            assert each.fileno() > SELECT_MOST
        yield made
