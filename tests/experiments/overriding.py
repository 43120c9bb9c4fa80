"""A flow on a bridge of a lab that overrides those of the controller."""

from contextlib import contextmanager

PRIORITY = 99  # above all flows of the controller in the tables of these tests


@contextmanager
def overriding(lab, host, bridge, match, actions):
    """Add a flow while the block runs.

    The controller compares its own flows with the overlay each second and restores those that
    differ.  It keeps flows with another cookie, so a flow is added instead of changing one of its.
    """
    rule = f"{match},priority={PRIORITY}"
    _ofctl(lab, host, "add-flow", bridge, f"{rule},actions={actions}")
    try:
        yield
    finally:
        _ofctl(lab, host, "--strict", "del-flows", bridge, rule)


def _ofctl(lab, host, *argv):
    """Change flows, and delete the megaflows that were made from the old ones."""
    lab.run(host, "ovs-ofctl", "-OOpenFlow13", *argv)
    lab.run(host, "ovs-appctl", "revalidator/purge")
