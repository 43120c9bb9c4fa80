"""A lab: namespaces, one Open vSwitch per compute host, and the controller, raised and undone."""

from topologies.lab.lab import Lab
from topologies.lab.starting import attach, started
from topologies.ledger import labs

__all__ = ["Lab", "attach", "labs", "started"]
