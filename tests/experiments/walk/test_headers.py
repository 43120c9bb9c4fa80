"""Headers of a packet, from fields as tshark prints them; and packets built as bytes."""

import struct
from ipaddress import IPv4Address

from experiments.measure import frames
from experiments.measure.packets import REPEATED
from experiments.walk.headers import FIELDS, Header, is_echo_of, parse_stack, stack_of, text_of
from experiments.walk.labs import places, predicted_stacks, wire_line
from experiments.walk.words import BACK, THERE
from topologies.scenario.load import load

HOME, OFFICE = IPv4Address("221.234.230.1"), IPv4Address("106.38.241.118")


def packet(**fields):
    """A packet with these fields, as `captures.decoded` gives it; dots are written `__`."""
    given = {name.replace("__", "."): value for name, value in fields.items()}
    return {**dict.fromkeys(FIELDS, ""), **given}


# tshark 4.0.17 on the wire between two transit routers, fields joined as `decoded` asks for
ON_THE_WAN = packet(
    frame__protocols="eth:ethertype:ip:gre:ip:icmp:data",
    frame__len="122",
    eth__src="2e:f0:b1:31:c7:09",
    eth__dst="22:a2:3c:08:29:42",
    ip__src=f"221.234.230.1{REPEATED}172.16.16.1",
    ip__dst=f"106.38.241.118{REPEATED}10.100.0.123",
    ip__ttl=f"63{REPEATED}63",
    gre__proto="0x0800",
    icmp__type="8",
    icmp__ident="8446",
    icmp__seq="1",
)
ON_THE_LAN = packet(
    frame__protocols="eth:ethertype:ip:icmp:data",
    frame__len="98",
    eth__src="ce:d5:9d:b2:88:eb",
    eth__dst="fa:16:3e:85:f4:b3",
    ip__src="10.100.0.1",
    ip__dst="10.100.0.123",
    ip__ttl="62",
    icmp__type="8",
    icmp__ident="8446",
    icmp__seq="1",
)
QUESTION = packet(
    frame__protocols="eth:ethertype:arp",
    frame__len="42",
    eth__src="ce:d5:9d:b2:88:eb",
    eth__dst="ff:ff:ff:ff:ff:ff",
    arp__opcode="1",
    arp__src__proto_ipv4="10.100.0.1",
    arp__dst__proto_ipv4="10.100.0.123",
)


def test_outer_addresses_belong_to_the_outer_header():
    assert text_of(stack_of(ON_THE_WAN)) == (
        "IP 221.234.230.1 > 106.38.241.118 | GRE 0x0800 | IP 172.16.16.1 > 10.100.0.123 | "
        "ICMP echo request"
    )


def test_gre_has_no_address():
    gre = stack_of(ON_THE_WAN)[2]
    assert (gre.protocol, gre.source, gre.target) == ("GRE", "", "")


def test_ethernet_is_first_and_left_out_of_texts():
    ethernet, *_ = stack_of(ON_THE_LAN)
    assert ethernet == Header("Ethernet", "ce:d5:9d:b2:88:eb", "fa:16:3e:85:f4:b3")
    assert text_of(stack_of(ON_THE_LAN)) == "IP 10.100.0.1 > 10.100.0.123 | ICMP echo request"
    assert text_of(stack_of(QUESTION)) == "ARP 10.100.0.1 > 10.100.0.123 request"


def test_headers_are_parsed_from_their_text():
    for each in (ON_THE_WAN, ON_THE_LAN, QUESTION):
        assert parse_stack(text_of(stack_of(each))) == stack_of(each)[1:]
    assert parse_stack("") == ()


def test_a_ping_is_recognised_by_identifier_and_sequence_number():
    assert is_echo_of(ON_THE_WAN, 8446, 1)
    assert not is_echo_of(ON_THE_WAN, 8446, 2)
    assert not is_echo_of(ON_THE_WAN, 1, 1)
    error = {**ON_THE_LAN, "icmp.type": "3"}  # one that quotes the ping
    assert not is_echo_of(error, 8446, 1)


def test_the_predicted_headers_are_those_of_a_capture():
    sites = load("home-office").sites
    there, back = predicted_stacks(sites, THERE), predicted_stacks(sites, BACK)
    assert len(there) == len(places(sites, THERE)) == 12
    assert there[4] == text_of(stack_of(ON_THE_WAN))
    assert there[2] == "IP 172.16.16.1 > 10.100.0.123 | ICMP echo request"  # before GRE
    assert there[-1] == "IP 10.100.0.1 > 10.100.0.123 | ICMP echo request"
    assert back[-1] == "IP 10.100.0.123 > 192.168.1.123 | ICMP echo reply"
    assert back[0] == "IP 10.100.0.123 > 10.100.0.1 | ICMP echo reply"
    assert wire_line(sites) == (
        "IP 221.234.230.1 > 106.38.241.118: GREv0: IP 172.16.16.1 > 10.100.0.123: ICMP echo request"
    )


def test_the_checksum_is_that_of_rfc_1071():
    # RFC 1071, section 3: the sum of these is 2ddf0 -> ddf2
    assert frames.checksum(bytes.fromhex("0001f203f4f5f6f7")) == 0xFFFF - 0xDDF2
    assert frames.checksum(b"\x01") == 0xFFFF - 0x0100  # an odd byte counts as the high one


def test_a_forged_packet_is_well_formed():
    inner = frames.ipv4(HOME, OFFICE, frames.UDP_PROTOCOL, frames.udp(b"text"))
    frame = frames.tunnelled("02:00:00:00:00:01", "02:00:00:00:00:02", (HOME, OFFICE), inner)
    outer = frame[14:34]
    assert frames.checksum(outer) == 0  # with its own checksum included
    assert struct.unpack("!H", outer[2:4])[0] == len(frame) - 14 == 20 + 4 + 20 + 8 + 4
    assert (outer[9], outer[12:16], outer[16:20]) == (47, HOME.packed, OFFICE.packed)
    assert frame[34:38] == bytes.fromhex("00000800")  # GRE: no flags, IPv4
    assert frame[38:] == inner


def test_a_forged_ping_has_a_valid_checksum():
    assert frames.checksum(frames.echo_request(1, 2, b"odd")) == 0
