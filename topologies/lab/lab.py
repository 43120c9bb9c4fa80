"""A running lab and every change that can be made to it."""

from topologies.lab import hosts, live, moving, servers
from topologies.lab.base import LabBase


class Lab(LabBase):
    """One running lab; an object from `attach` can do the same as the one from `started`."""

    plug = live.plug
    unplug = live.unplug
    move = moving.move
    add_server = servers.add_server
    remove_server = servers.remove_server
    add_host = hosts.add_host
    add_new_host = hosts.add_new_host
    remove_host = hosts.remove_host
