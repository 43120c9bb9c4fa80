"""Options that are valid, but that Neutron would ignore or treat differently."""

from collections.abc import Container, Iterator, Mapping, Sequence

from topologies.scenario.networks import KNOWN
from topologies.scenario.neutron_options import AGENT, AGENT_OTHERS, SERVER, SERVER_OTHERS
from topologies.scenario.options import Options


def warnings_of(server: Options, agents: Sequence[Options]) -> tuple[str, ...]:
    """Every warning, each with file and line, in the order of the files."""
    found = [*_server(server, agents), *(text for agent in agents for text in _agent(agent))]
    return tuple(dict.fromkeys(found))


def _server(server: Options, agents: Sequence[Options]) -> Iterator[str]:
    yield from _unused(server, SERVER, SERVER_OTHERS)
    place = server.place_of("ml2", "type_drivers")
    for word in server.get("ml2", "type_drivers", ()):
        if word not in KNOWN:
            yield f"{place}: type_drivers has {word!r}: unknown network type, ignored"
    drivers = server.get("ml2", "mechanism_drivers")
    if drivers is None:
        return
    place = server.place_of("ml2", "mechanism_drivers")
    with_l2_population = [bool(agent.get("agent", "l2_population")) for agent in agents]
    if "l2population" in drivers and not any(with_l2_population):
        yield (
            f"{place}: mechanism_drivers has l2population, but no agent sets l2_population: "
            "Neutron's server sends FDB entries and the agents ignore them; "
            "they flood to every VTEP and learn"
        )
    if "l2population" not in drivers and any(with_l2_population):
        yield (
            f"{place}: mechanism_drivers lacks l2population, but agents set l2_population: "
            "Neutron's server would send them no FDB entries, and they would build no tunnel; "
            "here they receive the entries anyway"
        )


def _agent(agent: Options) -> Iterator[str]:
    yield from _unused(agent, AGENT, AGENT_OTHERS)
    if agent.ini and ("agent", "tunnel_types") not in agent.ini.settings:
        here = ", ".join(map(str, agent.get("agent", "tunnel_types", ())))
        own = f"the scenario's own value is used: {here}"
        what = own if here else "the scenario has none either"
        yield (
            f"{agent.ini.place_for('agent')}: no tunnel_types in [agent]: Neutron's agent would "
            f"build no br-tun and no tunnel; {what}"
        )
    if agent.ini and agent.text("ovs", "bridge_mappings") == "":
        place = agent.place_of("ovs", "bridge_mappings")
        yield f"{place}: empty bridge_mappings: harmless, the host has no provider bridge"
    if agent.get("agent", "arp_responder") and not agent.get("agent", "l2_population"):
        place = agent.place_of("agent", "arp_responder")
        yield (
            f"{place}: arp_responder without l2_population on host {agent.name!r}: "
            "Neutron's agent ignores it"
        )


def _unused(
    options: Options, read: Container[tuple[str, str]], others: Mapping[str, str]
) -> Iterator[str]:
    for which, setting in (options.ini.settings if options.ini else {}).items():
        if which in read:
            continue
        if which == ("ovs", "tenant_network_type"):
            why = (
                "no such option in this section, Neutron ignores it; "
                "use tenant_network_types in [ml2] of ml2_conf.ini"
            )
        elif which[1] in others.get(which[0], "").split():
            why = "an option of Neutron that has no effect here"
        else:
            why = "no such option, Neutron ignores it"
        yield f"{setting.place}: {setting.key}: {why}"
