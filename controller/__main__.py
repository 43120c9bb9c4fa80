"""`python -m controller CONFIG`: the controller under os-ken, until SIGTERM."""

import logging
import os
import signal
import sys
import threading

from controller.model.errors import OverlayError


def main(argv: list[str]) -> int:
    """Run until SIGTERM or SIGINT; return the exit status."""
    if len(argv) != 1:
        print("usage: python -m controller CONFIG", file=sys.stderr)
        return 2
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    logging.getLogger("os_ken").setLevel(logging.WARNING)
    os.environ["OVERLAYLAB_CONTROLLER"] = argv[0]
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    from controller.switches import framework

    try:
        framework.start_app("controller.app")
    except OverlayError as error:
        print(f"overlaylab: {error}", file=sys.stderr)
        return 2
    ended.wait()
    return 0


if __name__ == "__main__":
    status = main(sys.argv[1:])
    sys.stdout.flush()
    os._exit(status)  # the framework's threads are not daemons and never end
