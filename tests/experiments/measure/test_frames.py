"""Frames as bytes."""

from ipaddress import IPv4Address

from experiments.measure.frames import (
    LOCAL_EXPERIMENT,
    NONCE,
    arp_packet,
    ethernet,
    marker,
    nonce_in,
    nonce_of,
)


def test_the_same_parts_make_the_same_nonce():
    assert nonce_of(1, "a") == nonce_of(1, "a") != nonce_of(2, "a")
    assert len(nonce_of(1)) == NONCE


def test_a_nonce_is_read_from_a_frame_after_the_ethernet_header():
    nonce = nonce_of(1)
    assert (
        nonce_in(ethernet("ff:ff:ff:ff:ff:ff", "02:00:00:00:00:01", LOCAL_EXPERIMENT, nonce))
        == nonce
    )


def test_an_arp_request_has_the_format_of_rfc_826():
    pair = (
        ("02:00:00:00:00:01", IPv4Address("10.0.0.1")),
        ("00:00:00:00:00:00", IPv4Address("10.0.0.2")),
    )
    assert ethernet("ff:ff:ff:ff:ff:ff", pair[0][0], 0x0806, arp_packet(1, *pair)).hex() == (
        "ffffffffffff"
        "020000000001"
        "0806"
        "0001"
        "0800"
        "06"
        "04"
        "0001"
        "020000000001"
        "0a000001"
        "000000000000"
        "0a000002" + "00" * 18
    )


def test_a_marker_is_sent_to_an_address_that_no_bridge_forwards():
    frame = marker(bytes(range(NONCE)))
    assert frame[:6].hex(":") == "01:80:c2:00:00:01"
    assert frame[20:22] == b"\0\x18"  # an ARP operation for experiments
    assert frame.endswith(bytes(range(NONCE)))
    assert len(frame) == 60
