"""Two sites as values: the scenario, its errors, and the settings of each node of the lab."""

from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network, ip_interface

import pytest

from controller.model.errors import ModelError, UsageError
from controller.model.serial import from_json, to_json
from controller.model.sites import Sites, Snat
from experiments.cli.main import main
from tests.topologies.scenario.scenario_files import errors_of, write
from topologies.plan import sites_plan
from topologies.scenario.load import FOLDER, load

TEXT = (FOLDER / "home-office.yaml").read_text(encoding="utf-8")
HOME_OFFICE = load("home-office").sites


def line_of(text: str) -> int:
    """The line of the scenario file that has `text`."""
    return next(at for at, line in enumerate(TEXT.splitlines(), start=1) if text in line)


def test_home_office_has_the_articles_addresses():
    near, far = HOME_OFFICE.near, HOME_OFFICE.far
    assert [str(each) for each in (near.stations[0].ip, near.gateway_ip, near.public_ip)] == [
        "192.168.1.123",
        "192.168.1.1",
        "221.234.230.1",
    ]
    assert [str(each) for each in (far.stations[0].ip, far.gateway_ip, far.public_ip)] == [
        "10.100.0.123",
        "10.100.0.1",
        "106.38.241.118",
    ]
    assert (str(near.tunnel_ip), str(far.tunnel_ip)) == ("172.16.16.1", "172.16.16.2")
    assert (near.snat, far.snat) == (Snat.TUNNEL, Snat.LAN)
    assert (HOME_OFFICE.underlay_mtu, HOME_OFFICE.tunnel_mtu) == (1492, 1468)
    assert len(HOME_OFFICE.routers) >= 2


def test_a_scenario_is_either_hosts_or_sites():
    with pytest.raises(UsageError) as caught:
        load("home-office").overlay  # noqa: B018
    assert str(caught.value) == (
        "scenario 'home-office': it describes two sites and no compute hosts; allowed: "
        "a scenario with `hosts:`. Use `article`; this one works with `overlaylab up` and "
        "`overlaylab run walk`."
    )
    with pytest.raises(UsageError) as caught:
        load("article").sites  # noqa: B018
    assert str(caught.value) == (
        "scenario 'article': it describes compute hosts and no sites; allowed: a scenario with "
        "`sites:`. Use `home-office`, or leave --scenario out."
    )


ERRORS = {  # the text that is replaced, the new text, and the error
    "tunnel": (
        "tunnel_ip: 172.16.16.2",
        "tunnel_ip: 172.16.17.2",
        "site 'office': tunnel_ip 172.16.17.2; allowed: the other host of the tunnel's /30 "
        "(172.16.16.0/30, with 172.16.16.1 at the near end). Take two addresses such as "
        "172.16.16.1 and 172.16.16.2.",
    ),
    "public": (
        "public_ip: 106.38.241.118",
        "public_ip: 106.38.241.119",
        "site 'office': public_ip 106.38.241.119; allowed: not the first or last of "
        "106.38.241.116/30. The wire to the provider is a /30: pick an address within it.",
    ),
    "mtu": (
        "mtu: 1492",
        "mtu: 500",
        "wan: mtu 500; allowed: 600..9216. Pick another; PPPoE leaves 1492.",
    ),
    "routers": (
        "routers: [isp1, isp2]",
        "routers: [isp2]",
        "wan: routers: 1 of them; allowed: 2..8. Add some or remove some.",
    ),
    "attacker's router": (
        "router: isp2",
        "router: isp3",
        "attacker: router 'isp3'; allowed: isp1, isp2. Name one of them.",
    ),
    "name": (
        "name: office",
        "name: Office",
        "site 'Office': name 'Office'; allowed: 1 to 7 lower-case letters and digits, a letter "
        "first. Pick another.",
    ),
    "name twice": (
        "name: desk",
        "name: server",
        "node 'server': name 'server' twice; allowed: each name once. Rename one of "
        "them; a site makes the nodes NAME-router and NAME-lan.",
    ),
    "name of an interface": (
        "name: desk",
        "name: br-office-lan",
        "node 'br-office-lan': name 'br-office-lan' is taken; allowed: not the "
        "name of an existing interface. Pick another: interfaces are named "
        "after the nodes they lead to.",
    ),
    "loopback": (
        "name: desk",
        "name: lo",
        "node 'lo': name 'lo' is taken; allowed: not the name of an existing interface. "
        "Pick another: interfaces are named after the nodes they lead to.",
    ),
    "station": (
        "ip: 10.100.0.77",
        "ip: 10.101.0.77",
        "site 'office': station 'desk' 10.101.0.77; allowed: an address of a host in lan "
        "10.100.0.0/24. Move it, or change `lan`.",
    ),
    "schema": (
        "snat: lan",
        "snat: wan",
        "sites[1].snat: 'wan'; allowed: tunnel, lan, none. Use one of them.",
    ),
    "address": (
        "gateway_ip: 10.100.0.1",
        "gateway_ip: fd00::1",
        "sites[1].gateway_ip: 'fd00::1'; allowed: the router's IPv4 address in the LAN. "
        "Correct the value.",
    ),
    "key": (
        "mtu: 1492",
        "mut: 1492",
        "wan.mut: unknown key; allowed: mtu, routers. Did you mean `mtu`?",
    ),
}


@pytest.mark.parametrize("case", ERRORS)
def test_an_error_says_where_and_what(case, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    right, wrong, printed = ERRORS[case]
    assert errors_of(TEXT.replace(right, wrong, 1))[0].split(": ", 1)[1] == printed


LINES = {  # the line that an error names has this text
    "tunnel": "tunnel_ip: 172.16.16.2",
    "public": "public_ip: 106.38.241.118",
    "mtu": "mtu: 1492",
    "routers": "routers: [isp1, isp2]",
    "attacker's router": "name: attacker",
    "name": "name: office",
    "station": "stations:",
    "schema": "snat: lan",
    "key": "mtu: 1492",
}


@pytest.mark.parametrize("case", LINES)
def test_an_error_names_its_line(case, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    right, wrong, _ = ERRORS[case]
    found = int(errors_of(TEXT.replace(right, wrong, 1))[0].split(":")[1])
    known = [at for at, line in enumerate(TEXT.splitlines(), start=1) if LINES[case] in line]
    assert found in known


def test_all_errors_come_at_once(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = TEXT.replace("mtu: 1492", "mtu: 500").replace("ip: 10.100.0.77", "ip: 10.101.0.77")
    assert len(errors_of(text)) == 2


def test_one_site_is_too_few(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    alone = TEXT[: TEXT.index("  - name: office")] + TEXT[TEXT.index("wan:") :]
    assert errors_of(alone) == [
        f"s.yaml:{line_of('sites:')}: sites: 1 site; allowed: 2..2. Add sites."
    ]


def test_networks_of_two_sites_may_not_overlap():
    site = replace(
        HOME_OFFICE.near,
        lan=IPv4Network("10.100.0.0/16"),
        gateway_ip=IPv4Address("10.100.9.1"),
        stations=(replace(HOME_OFFICE.near.stations[0], ip=IPv4Address("10.100.9.2")),),
    )
    with pytest.raises(ModelError, match=r"lan of site 'home' \(10.100.0.0/16\) overlaps"):
        replace(HOME_OFFICE, sites=(site, HOME_OFFICE.far))


def test_it_survives_json(tmp_path):
    assert from_json(to_json(HOME_OFFICE), Sites) == HOME_OFFICE
    with pytest.raises(ModelError):
        from_json({"name": "x"}, Sites)
    other = load(
        write(str(tmp_path / "four.yaml"), TEXT.replace("[isp1, isp2]", "[a, b, isp2, d]"))
    )
    assert from_json(to_json(other.sites), Sites).routers == ("a", "b", "isp2", "d")


def four_routers():
    routers = ("r1", "r2", "r3", "r4")
    attacker = replace(HOME_OFFICE.attacker, router="r3")
    return replace(HOME_OFFICE, routers=routers, attacker=attacker)


@pytest.mark.parametrize("sites", [HOME_OFFICE, four_routers()], ids=["two", "four"])
def test_every_router_has_routes_to_all_public_and_no_private_networks(sites):
    """Each network is on a wire of the router, or by a next hop that is on one."""
    public = {sites.near.uplink, sites.far.uplink, sites.attacker.network}
    public |= {sites_plan.core_wire(at) for at in range(len(sites.routers) - 1)}
    for name in sites.routers:
        lines = sites_plan.transit_lines(sites, name)
        on_wire = {
            ip_interface(line.split()[2]).network for line in lines if line.startswith("addr add")
        }
        routes = {
            IPv4Network(words[2]): IPv4Address(words[4])
            for words in map(str.split, lines)
            if words[:2] == ["route", "add"]
        }
        assert on_wire | set(routes) == public
        assert not on_wire & set(routes)
        assert all(any(hop in wire for wire in on_wire) for hop in routes.values())
        own = {ip_interface(line.split()[2]).ip for line in lines if line.startswith("addr add")}
        assert not own & set(routes.values())


def test_a_route_leads_towards_its_network():
    """Followed from router to router, every route ends on the wire that it is for."""
    sites = four_routers()
    lines = {name: sites_plan.transit_lines(sites, name) for name in sites.routers}
    owner = {
        str(ip_interface(line.split()[2]).ip): name
        for name, reported in lines.items()
        for line in reported
        if line.startswith("addr add")
    }
    for target in (sites.near.uplink, sites.far.uplink, sites.attacker.network):
        for name in sites.routers:
            at, hops = name, 0
            while route := next((x for x in lines[at] if x.startswith(f"route add {target} ")), ""):
                at, hops = owner[route.split()[-1]], hops + 1
                assert hops < len(sites.routers)
            assert any(
                str(target.prefixlen) in x
                and x.startswith("addr add")
                and ip_interface(x.split()[2]).network == target
                for x in lines[at]
            )


def test_nat_is_where_the_scenario_says():
    near = sites_plan.nat_rules(HOME_OFFICE.near)
    far = sites_plan.nat_rules(HOME_OFFICE.far)
    assert 'oifname "gre1" snat to 172.16.16.1' in near
    assert 'iifname "gre1" oifname "lan" snat to 10.100.0.1' in far
    assert "gre1" not in sites_plan.nat_rules(replace(HOME_OFFICE.near, snat=Snat.NONE))


def test_interface_names_are_valid_in_linux():
    links = list(sites_plan.links(four_routers()))
    ends = [(link.one, link.name_at_one) for link in links]
    ends += [(link.other, link.name_at_other) for link in links]
    assert len(set(ends)) == len(ends)
    assert max(len(name) for _, name in ends) <= 15


@pytest.mark.parametrize(
    "argv",
    [
        ("flows", "home-office", "--host", "home-router", "--bridge", "br-tun"),
        ("run", "latency", "--scenario", "home-office"),
        ("up", "home-office", "--mode", "gre-mesh"),
        ("run", "walk", "--scenario", "article"),
        ("run", "walk", "--hosts", "4"),
    ],
    ids=" ".join,
)
def test_a_scenario_of_the_wrong_kind_is_refused_in_one_line(argv, capsys):
    assert main(argv) == 2
    printed = capsys.readouterr().err
    assert printed.startswith("overlaylab: scenario '")
    assert printed.count("\n") == 1


def test_validate_counts_what_there_is(capsys):
    assert main(("validate", "home-office")) == 0
    assert capsys.readouterr().out == ("home-office: valid: 2 sites, 2 routers, 3 stations\n")


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("public_ip: 106.38.241.118", "public_ip: 127.0.0.1", "public_ip 127.0.0.1 is loopback"),
        ("public_ip: 106.38.241.118", "public_ip: 0.0.0.0", "public_ip 0.0.0.0 is unspecified"),
        ("public_ip: 106.38.241.118", "public_ip: 224.0.0.5", "public_ip 224.0.0.5 is multicast"),
        ("public_ip: 106.38.241.118", "public_ip: 240.0.0.1", "public_ip 240.0.0.1 is reserved"),
        ("lan: 10.100.0.0/24", "lan: 224.0.0.0/24", "lan 224.0.0.0/24 is multicast"),
        ("lan: 10.100.0.0/24", "lan: 127.0.0.0/8", "lan 127.0.0.0/8 is loopback"),
        ("lan: 10.100.0.0/24", "lan: 0.0.0.0/0", "lan 0.0.0.0/0 is of prefix length 0"),
    ],
)
def test_no_machine_of_a_site_has_an_unusable_address(tmp_path, monkeypatch, old, new, expected):
    monkeypatch.chdir(tmp_path)
    begin = f"s.yaml:{line_of(old)}: site 'office': {expected}"

    assert any(error.startswith(begin) for error in errors_of(TEXT.replace(old, new)))


def test_each_end_of_the_tunnel_and_the_attacker_have_usable_addresses():
    site = replace(HOME_OFFICE.far, tunnel_ip=IPv4Address("169.254.0.1"))
    near = replace(HOME_OFFICE.near, tunnel_ip=IPv4Address("169.254.0.2"))
    with pytest.raises(ModelError, match=r"tunnel_ip 169\.254\.0\.1 is link-local"):
        replace(HOME_OFFICE, sites=(near, site))
    for ip, why in (("224.1.1.1", "is multicast"), ("203.0.113.255", "not the first or last")):
        attacker = replace(HOME_OFFICE.attacker, ip=IPv4Address(ip))
        with pytest.raises(ModelError, match=f"ip {ip}.*{why}"):
            replace(HOME_OFFICE, attacker=attacker)
