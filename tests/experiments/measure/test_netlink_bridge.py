"""A bridge's learned addresses by netlink: requests, and answers of Linux 6.18."""

import struct

import pytest

from experiments.measure.netlink import (
    Learned,
    attributes,
    bodies,
    bridge_limit_request,
    bridge_request,
    is_whole,
    parse_bridge,
)

# The attribute IFLA_LINKINFO of a bridge after `fdb_max_learned` was set to 77.
LINKINFO = bytes.fromhex(
    "9c0112000b00010062726964676500008c0102000c00100000000000000000000c00110000000000000000000c00"
    "120000000000000000000c001300000000000000000008000100dc05000008000200c800000008000300d0070000"
    "080004003075000008000500000000000600060000800000050007000000000006000900000000000c000b008000"
    "0000000000000c000a00800000000000000006000c000000000008000d000000000005000e000000000005000f00"
    "000000000a0014000180c200000000000c002e00000000001f0000000800300000000000080031004d0000000500"
    "16000100000005001700010000000500180000000000050019000000000005002a000000000008001a0010000000"
    "08001b000010000008001c000200000008001d000200000005002b000200000005002c00010000000c001e006400"
    "0000000000000c001f0090650000000000000c0020009c630000000000000c002100d4300000000000000c002200"
    "e8030000000000000c002300340c000000000000050024000000000005002500000000000500260000000000"
)
LINK = struct.pack("=BxHiII", 0, 1, 2, 0x1002, 0)  # ifinfomsg
ACK = bytes.fromhex("240000000200000101000000000000000000000020000000120005000100000000000000")
REFUSED = ACK[:16] + struct.pack("=i", -95) + ACK[20:]  # EOPNOTSUPP


def test_a_bridge_reports_its_learned_addresses_and_its_limit():
    assert parse_bridge(LINK + LINKINFO) == Learned(now=0, most=77)


def test_another_link_or_an_older_kernel_has_no_count():
    assert parse_bridge(LINK) is None
    without = LINKINFO.replace(bytes.fromhex("08003000"), bytes.fromhex("0800ff00"))
    assert without != LINKINFO
    assert parse_bridge(LINK + without) is None


def test_the_limit_is_attribute_49_of_a_bridge():
    asked = bridge_limit_request(7, 128)

    length, kind, flags, _, _ = struct.unpack_from("=IHHII", asked)
    assert (length, kind, flags) == (len(asked), 16, 0x5)  # RTM_NEWLINK, REQUEST and ACK
    assert struct.unpack_from("=BxHiII", asked, 16)[2] == 7
    ((link_info, inside),) = attributes(asked[32:])
    (_, (data, values)) = attributes(inside)
    assert (link_info, data) == (18, 2)
    assert dict(attributes(values)) == {49: struct.pack("=I", 128)}


def test_a_request_for_one_link_asks_for_an_acknowledgement():
    assert struct.unpack_from("=IHH", bridge_request(3)) == (32, 18, 0x5)
    assert is_whole(ACK)


def test_an_acknowledgement_is_not_a_refusal():
    assert bodies(ACK) == ()
    with pytest.raises(OSError, match="refused") as refused:
        bodies(REFUSED)
    assert refused.value.errno == 95
