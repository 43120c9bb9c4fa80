"""Two sites joined by a GRE tunnel across an internet, checked.  Pure.

A scenario is either an `Overlay`, whose compute hosts a controller configures, or `Sites`,
whose edge routers are configured once.
"""

from dataclasses import dataclass

from controller.model.check_sites import sites_errors
from controller.model.errors import raise_all
from controller.model.site_parts import GRE_OVERHEAD, EdgeHost, Site, SitesParts


@dataclass(frozen=True, slots=True, kw_only=True)
class Sites(SitesParts):
    """Two sites, the routers in a row between them, and an attacker.

    Raises:
        ModelError: they contradict each other; `ModelErrors` if in several ways.
    """

    def __post_init__(self) -> None:
        raise_all(sites_errors(self))

    @property
    def tunnel_mtu(self) -> int:
        """The largest packet [bytes] that fits into the tunnel."""
        return self.underlay_mtu - GRE_OVERHEAD

    @property
    def hosts(self) -> tuple[EdgeHost, ...]:
        """The machines that carry the tunnel."""
        return tuple(EdgeHost(name=site.router) for site in self.sites)

    @property
    def host_of(self) -> dict[str, EdgeHost]:
        """They by name."""
        return {host.name: host for host in self.hosts}

    def other(self, site: Site) -> Site:
        """The site at the tunnel's other end."""
        return self.far if site.name == self.near.name else self.near
