"""A running lab and every change that can be made to it."""

from topologies.lab import live, moving
from topologies.lab.base import LabBase


class Lab(LabBase):
    """One running lab; an object from `attach` can do the same as the one from `started`."""

    plug = live.plug
    unplug = live.unplug
    add_guest = live.add_guest
    move = moving.move
    add_host = live.add_host
    remove_host = live.remove_host
