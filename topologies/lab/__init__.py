"""A lab: namespaces, one Open vSwitch per compute host, and the controller, raised and undone."""

from topologies.lab.lab import Lab
from topologies.lab.ledger import labs
from topologies.lab.starting import attach, started

__all__ = ["Lab", "attach", "labs", "started"]
