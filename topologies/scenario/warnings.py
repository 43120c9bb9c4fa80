"""Options that are valid, but that Neutron would ignore or treat differently."""

from collections.abc import Iterable, Iterator, Sequence

from controller.model.mtu import mtu_warnings, path_mtu_warnings, physnet_mtu_warnings
from controller.model.parts import OverlayParts
from topologies.scenario.catalogue import Role, catalogue, hint
from topologies.scenario.file import Map, Place
from topologies.scenario.networks import KNOWN
from topologies.scenario.neutron_options import AGENT_OPTIONS, FORMER, NOT_MODELLED
from topologies.scenario.options import PHYSNET_MTU, Kind, Options

Warned = tuple[Place, str]
UNKNOWN_LISTED = 100  # of one file: each search for the option that was meant takes a millisecond
# Neutron's entry points neutron.ml2.mechanism_drivers, without those of its tests.  The linuxbridge
# driver was removed in Neutron 26; `current` has it as of 25.2.3.
DRIVERS = {
    "queens": {"l2population", "linuxbridge", "macvtap", "openvswitch", "sriovnicswitch"},
    "current": {
        "l2population",
        "linuxbridge",
        "macvtap",
        "openvswitch",
        "ovn",
        "ovn-sync",
        "sriovnicswitch",
    },
}
SECTIONS = {Role.OPENVSWITCH: {"ovs"}, Role.LINUXBRIDGE: {"vxlan", "linux_bridge"}}


def warnings_of(server: Options, agents: Sequence[Options]) -> Iterator[Warned]:
    """Every warning and its place."""
    yield from _options((server, *agents))
    yield from _server(server, agents)
    for agent in agents:
        yield from _newer(agent)
        yield from _agent(agent)


def underlay_warnings(parts: OverlayParts, server: Options, underlay: Map) -> Iterator[Warned]:
    """Every warning about packets that the underlay does not carry."""
    for text in mtu_warnings(parts):
        yield underlay.place_of("wan_mtu"), text
    for text in path_mtu_warnings(parts):
        yield server.place_of("ml2", "path_mtu"), text
    written = server.ini.settings.get(PHYSNET_MTU) if server.ini else None
    if written and written.text.strip().isdecimal():
        for text in physnet_mtu_warnings(parts, int(written.text)):
            yield written.place, text


def not_modelled(programs: Iterable[Options]) -> tuple[str, ...]:
    """Each option that would change flows, ports or MTUs in Neutron and does not here, with its value."""
    found = {
        f"{setting.key} = {setting.text.strip()}"
        for options in programs
        if options.ini
        for which, setting in options.ini.settings.items()
        if options.kinds[which] is Kind.NOT_MODELLED
    }
    return tuple(sorted(found))


def by_kind(programs: Iterable[Options]) -> dict[Kind, tuple[str, ...]]:
    """The options of the .ini files of each kind, each once: those not modelled before those used."""
    found: dict[str, set[Kind]] = {}
    for options in programs:
        for which, setting in options.ini.settings.items() if options.ini else ():
            found.setdefault(setting.key, set()).add(options.kinds[which])
    order = (Kind.NOT_MODELLED, *Kind)
    kinds = {key: min(each, key=order.index) for key, each in found.items()}
    return {kind: tuple(key for key, each in kinds.items() if each is kind) for kind in Kind}


def _options(programs: Iterable[Options]) -> Iterator[Warned]:
    """The options that Neutron does not have, and those that are not modelled here."""
    for options in programs:
        unknown = 0
        for which, setting in options.ini.settings.items() if options.ini else ():
            if options.kinds[which] is Kind.UNKNOWN:
                unknown += 1
                if unknown > UNKNOWN_LISTED:
                    continue
                version = catalogue(options.release).version
                meant = FORMER.get(which) or hint(options.release, which, options.role)
                why = f"; {meant}" if meant else ""
                text = f"{setting.key}: Neutron {version} has no such option and ignores it{why}"
            elif options.kinds[which] is Kind.NOT_MODELLED:
                known = catalogue(options.release).names[options.role][which]
                effect = NOT_MODELLED[options.role][known.which].effect
                text = f"{setting.key} = {setting.text.strip()}: not modelled: {effect}"
            else:
                continue
            yield setting.place, text
        if options.ini and unknown > UNKNOWN_LISTED:
            more = f"{unknown - UNKNOWN_LISTED} more options that Neutron does not have"
            yield Place(options.ini.name, 1), f"{more}: is this a file of Neutron?"


def _newer(options: Options) -> Iterator[Warned]:
    """Keys of the scenario that are options of a newer release only."""
    known = catalogue(options.release)
    for which in AGENT_OPTIONS:
        setting = options.settings.get(which)
        if setting and options.role is Role.OPENVSWITCH and not known.find(options.role, which):
            yield (
                setting.place,
                f"{setting.key}: Neutron {known.version} has no such option and ignores it",
            )


def _server(server: Options, agents: Sequence[Options]) -> Iterator[Warned]:
    place = server.place_of("ml2", "type_drivers")
    for word in server.get("ml2", "type_drivers", ()):
        if word not in KNOWN:
            yield place, f"type_drivers has {word!r}: unknown network type, ignored"
    drivers = server.get("ml2", "mechanism_drivers")
    if drivers is None:
        return
    place = server.place_of("ml2", "mechanism_drivers")
    for word in dict.fromkeys(drivers):
        if word and word not in DRIVERS[server.release]:
            version = catalogue(server.release).version
            yield (
                place,
                (
                    f"mechanism_drivers has {word!r}: Neutron {version} has no such driver; "
                    "its server starts only if another package adds it"
                ),
            )
    with_l2_population = [bool(agent.get(*agent.which("l2_population"))) for agent in agents]
    if "l2population" in drivers and not any(with_l2_population):
        yield (
            place,
            (
                "mechanism_drivers has l2population, but no agent sets l2_population: "
                "Neutron's server sends FDB entries and the agents ignore them; "
                "they flood to every VTEP and learn"
            ),
        )
    if "l2population" not in drivers and any(with_l2_population):
        yield (
            place,
            (
                "mechanism_drivers lacks l2population, but agents set l2_population: "
                "Neutron's server would send them no FDB entries, and they would build no tunnel; "
                "here they receive the entries anyway"
            ),
        )


def _agent(agent: Options) -> Iterator[Warned]:
    yield from _other_mechanism(agent)
    yield from _linuxbridge(agent) if agent.role is Role.LINUXBRIDGE else _openvswitch(agent)
    responder = agent.which("arp_responder")
    if agent.get(*responder) and not agent.get(*agent.which("l2_population")):
        yield (
            agent.place_of(*responder),
            (
                f"arp_responder without l2_population on host {agent.name!r}: "
                "Neutron's agent ignores it"
            ),
        )


def _openvswitch(agent: Options) -> Iterator[Warned]:
    written = agent.ini.settings.get(("agent", "tunnel_types")) if agent.ini else None
    if agent.ini and not (written and written.text.strip()):
        here = ", ".join(map(str, agent.get("agent", "tunnel_types", ())))
        own = f"the scenario's own value is used: {here}"
        what = own if here else "the scenario has none either"
        yield (
            written.place if written else agent.ini.place_for("agent"),
            (
                "no tunnel_types in [agent]: Neutron's agent would "
                f"build no br-tun and no tunnel; {what}"
            ),
        )
    if agent.ini and agent.text("ovs", "bridge_mappings") == "":
        place = agent.place_of("ovs", "bridge_mappings")
        yield place, "empty bridge_mappings: harmless, the host has no provider bridge"


def _linuxbridge(agent: Options) -> Iterator[Warned]:
    group, l2_population = ("vxlan", "vxlan_group"), agent.get("vxlan", "l2_population")
    if agent.ini and not l2_population and group not in agent.settings:
        default = catalogue(agent.release).names[Role.LINUXBRIDGE][group].default
        yield (
            agent.ini.place_for("vxlan"),
            (
                f"no vxlan_group in [vxlan]: Neutron's agent would flood to {default}, the group of all "
                "networks; here each VTEP gets a copy. Set vxlan_group to a group outside 224.0.0.0/24"
            ),
        )


def _other_mechanism(agent: Options) -> Iterator[Warned]:
    """A file of the other agent, all of whose options would be ignored."""
    here, other = agent.role, next(role for role in SECTIONS if role is not agent.role)
    settings = agent.ini.settings if agent.ini else {}
    if any(section in SECTIONS[here] for section, _ in settings):
        return
    places = [each.place for (section, _), each in settings.items() if section in SECTIONS[other]]
    if places:
        mine, theirs = here.name.lower(), other.name.lower()
        yield (
            min(places),
            (
                f"only options of the {theirs} agent: the {mine} agent, which this host has, ignores "
                f"them; set `mechanism: {theirs}`, or use an {mine}_agent.ini"
            ),
        )
