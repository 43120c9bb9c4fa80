"""A running lab: start it, change it, look at it, take it down."""

from topologies.lab.lab import Lab
from topologies.lab.starting import attach, started
from topologies.ledger import labs

__all__ = ["Lab", "attach", "labs", "started"]
