"""A kernel that carries out the lines of `ip -batch` and `bridge -batch`, and refuses as one does."""

import itertools
from dataclasses import dataclass, field, replace

from controller.flows.linuxbridge import ALL, Kernel, Vxlan
from controller.model.names import tap_name


@dataclass
class FakeKernel:
    """Links by name with their master, and the VXLAN devices with their options."""

    links: dict = field(default_factory=dict)
    vxlans: dict = field(default_factory=dict)

    @classmethod
    def with_taps(cls, *overlays, host):
        """As the lab leaves it: every guest's tap, in no bridge."""
        taps = {tap_name(p.id) for each in overlays for p in each.ports if p.host == host}
        return cls(links={"underlay": "", **dict.fromkeys(taps, "")})

    def seen(self):
        return Kernel(devices=dict(self.links), vxlans=dict(self.vxlans))

    def carry_out(self, todo):
        for line in (*todo.ip, *todo.fdb, *todo.rest):
            what, verb, *words = line.split()
            getattr(self, f"{what}_{verb}")(*words)

    def link_add(self, name, *words):
        assert name not in self.links, f"{name}: File exists"
        self.links[name] = ""
        options = dict(itertools.pairwise(words))
        if options["type"] == "vxlan":
            group = options.get("group", "")
            self.vxlans[name] = Vxlan(
                vni=int(options["id"]),
                local=options["local"],
                mtu=int(options["mtu"]),
                group=group,
                learning="nolearning" not in words,
                proxy="proxy" in words,
                fdb=frozenset({(ALL, group)} if group else ()),
            )

    def link_set(self, name, *words):
        assert name in self.links, f"{name}: No such device"
        options = dict(itertools.pairwise(words))
        if "master" in options:
            assert options["master"] in self.links
            self.links[name] = options["master"]
        if words == ("nomaster",):
            self.links[name] = ""
        if "mtu" in options:
            self.vxlans[name] = replace(self.vxlans[name], mtu=int(options["mtu"]))

    def link_del(self, name):
        del self.links[name]
        self.vxlans.pop(name, None)
        self.links = {each: "" if of == name else of for each, of in self.links.items()}

    def _set(self, device, **options):
        self.vxlans[device] = replace(self.vxlans[device], **options)

    def fdb_append(self, mac, _, device, __, vtep):
        have = self.vxlans[device].fdb
        assert (mac, vtep) not in have, "File exists"
        self._set(device, fdb=have | {(mac, vtep)})

    def fdb_replace(self, mac, _, device, __, vtep):
        kept = {entry for entry in self.vxlans[device].fdb if entry[0] != mac}
        self._set(device, fdb=frozenset(kept | {(mac, vtep)}))

    def fdb_del(self, mac, _, device, __, vtep):
        have = self.vxlans[device].fdb
        assert (mac, vtep) in have, "No such file or directory"
        self._set(device, fdb=have - {(mac, vtep)})

    def neigh_replace(self, address, _, mac, __, device, *___):
        kept = {entry for entry in self.vxlans[device].neighbours if entry[0] != address}
        self._set(device, neighbours=frozenset(kept | {(address, mac)}))

    def neigh_del(self, address, _, device):
        kept = {entry for entry in self.vxlans[device].neighbours if entry[0] != address}
        assert len(kept) < len(self.vxlans[device].neighbours), "No such file or directory"
        self._set(device, neighbours=frozenset(kept))
