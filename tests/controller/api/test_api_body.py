"""What is read as JSON: RFC 8259 in UTF-8, nothing ambiguous, and nothing beyond the limits."""

import contextlib
import gc
import json
import time

import pytest

from controller.api.body import BODY_MAX, DEPTH_MAX, LIST_MAX, parse_json


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        {"port": {"fixed_ips": [{"ip_address": "10.0.0.5"}], "name": "网络 😀", "mtu": -1.5e3}},
        99999999999999999999,
        [0] * LIST_MAX,
    ],
)
def test_json_is_read(value):
    assert parse_json(json.dumps(value).encode()) == value
    assert parse_json(json.dumps(value, ensure_ascii=False).encode("utf-8-sig")) == value


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", "Expecting value"),
        (b'{"a": 1', "delimiter"),
        (b'{"a": 1} {}', "Extra data"),
        (b"NaN", "NaN is no JSON number"),
        (b"[-Infinity]", "-Infinity is no JSON number"),
        (b"1e999", "1e999 is too large"),
        (b"1" * 21, "an integer of more than 20 digits"),
        (b"-" + b"9" * 5000, "an integer of more than 20 digits"),
        (b'{"a": {"b": 1, "c": 2, "b": 1}}', "the name 'b' twice in one object"),
        (b'"\xff"', "utf-8"),
        ('"a"'.encode("utf-16"), "utf-8"),
        (rb'"\ud800"', "surrogates not allowed"),
        (rb'{"a": [{"\ud800": 1}]}', "surrogates not allowed"),
        (json.dumps([0] * (LIST_MAX + 1)).encode(), "an array of 501 values; 500 are allowed"),
        (b"[" * 18 + b"]" * 18, "more than 16 objects and arrays inside each other"),
        (b"[" * 30000 + b"]" * 30000, "more than 16 objects and arrays inside each other"),
        (b'{"a":' * 10000 + b"1" + b"}" * 10000, "more than 16 objects and arrays"),
        (b"[" * BODY_MAX, ""),
    ],
)
def test_anything_else_is_refused_with_the_reason(raw, words):
    with pytest.raises(ValueError) as error:  # noqa: PT011  its text is compared
        parse_json(raw)
    assert words in str(error.value)


def test_the_deepest_value_that_is_read():
    text = b"[" * DEPTH_MAX + b"]" * DEPTH_MAX
    assert json.dumps(parse_json(text)).encode() == text


@pytest.mark.parametrize(
    "raw",
    [
        json.dumps([[], *([{}] * 20000)]).encode(),
        json.dumps({str(n): n for n in range(6000)}).encode(),
        json.dumps([[[]] * LIST_MAX] * 40).encode(),
    ],
)
def test_a_body_of_full_size_is_read_within_milliseconds(raw):
    assert BODY_MAX / 2 < len(raw) < 3 * BODY_MAX
    gc.collect()
    gc.disable()  # a collection would walk all objects of the tests before this one
    try:
        began = time.process_time()
        with contextlib.suppress(ValueError):
            parse_json(raw)
        assert time.process_time() - began < 0.5
    finally:
        gc.enable()
