"""YAML text as values: the core schema of YAML 1.2, and limits that keep the time below a second."""

import time

import pytest

from controller.model.errors import ModelError, ModelErrors
from tests.topologies.scenario.scenario_files import TWO_HOSTS, errors_of, write
from topologies.scenario.load import load
from topologies.scenario.yaml_file import DEPTH_MOST, VALUES_MOST, parse_yaml

MEANT_S, LOADED = 1.0, 10  # an answer within a second; shared processors may be that much slower


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("~", None), ("", None), ("null", None), ("NULL", None), ("nULL", "nULL"),
        ("true", True), ("FALSE", False), ("no", "no"), ("On", "On"), ("y", "y"),
        ("7", 7), ("007", 7), ("+7", 7), ("-7", -7), ("0o17", 15), ("0xfF", 255), ("1_000", "1_000"),
        ("0b11", "0b11"), ("1:30", "1:30"), ("0x", "0x"), ("12e03", 12000.0), (".5", 0.5), ("5.", 5.0),
        ("1e5", 1e5), ("1e", "1e"), ("2026-01-02", "2026-01-02"), ("'7'", "7"), ('"true"', "true"),
        ("!!str 7", "7"), ("!!int '7'", 7), ("!!float 7", 7), ("!!null ''", None), ("! 7", "7"),
        ("!!bool true", True), ("|\n  7", "7"), ("[]", []), ("!!seq []", []), ("{}", {}), ("!!map {}", {}),
        ("=", "="), ("<<", "<<"), ("[a, [b]]", ["a", ["b"]]), ("\ufeffa", "a"), ("%YAML 1.1\n--- no", "no"),
        ("{a: &x [1], b: *x}", {"a": [1], "b": [1]}), ("&x a", "a"),
        ("{a: &x {k: 1, l: 2}, b: {<<: *x, l: 3}}", {"a": {"k": 1, "l": 2}, "b": {"k": 1, "l": 3}}),
        ("{a: &x {k: 1}, b: &y {k: 2}, c: {<<: [*x, *y]}}", {"a": {"k": 1}, "b": {"k": 2}, "c": {"k": 1}}),
        ("{1: a, true: b, ~: c, nan: d}", {"1": "a", "true": "b", "~": "c", "nan": "d"}),
    ],
)  # fmt: skip
def test_plain_texts_are_read_as_in_yaml_1_2(text, value):
    found = parse_yaml(text, "s.yaml")

    assert found == value
    assert type(found) is type(value) or isinstance(found, dict)


def test_each_value_has_its_line_also_behind_an_alias():
    found = parse_yaml("a: &x\n  k: 1\nb:\n  <<: *x\n  l: 2\nc: [*x]\n", "s.yaml")

    assert str(found["b"].place_of("k")) == "s.yaml:2"
    assert str(found["b"].place_of("l")) == "s.yaml:5"
    assert found["c"][0].path_of("k") == "c[0].k"


WRONG = {
    "!!omap [a: 1]": "s.yaml:1: invalid value (tag !!omap)",
    "a:\n  !!set {b}": "s.yaml:2: invalid value (tag !!set)",
    "!!binary aGk=": "s.yaml:1: invalid value (tag !!binary)",
    "!!python/object/apply:os.system [true]": "s.yaml:1: invalid value (tag !!python/object/apply:os.system)",
    "!!timestamp 2026-01-01": "s.yaml:1: invalid value (tag !!timestamp)",
    "!!map []": "s.yaml:1: invalid value (tag !!map)",
    "!mine x": "s.yaml:1: invalid value (tag !mine)",
    "!!int x": "s.yaml:1: invalid value (!!int 'x')",
    ".nan": "s.yaml:1: invalid value (.nan)",
    "-.Inf": "s.yaml:1: invalid value (-.Inf)",
    "1e999": "s.yaml:1: invalid value (1e999)",
    "0x" + "f" * 5000: f"s.yaml:1: invalid value (0x{'f' * 48}...)",
    "a: 1\nb: 2\n'a': 3": "s.yaml:3: key 'a' appears twice",
    "[a]: 1": "s.yaml:1: invalid value (a key that is not text)",
    "? {a: 1}\n: 1": "s.yaml:1: invalid value (a key that is not text)",
    "a: *x": "s.yaml:1: invalid value (alias *x)",
    "&x [*x]": "s.yaml:1: invalid value (alias *x)",
    "a: 1\n<<: 2": "s.yaml:2: invalid value (<< without a mapping)",
    "a\n--- b": "s.yaml:2: not valid YAML",
    "a: b: c": "s.yaml:1: not valid YAML",
    "a:\n\tb: 1": "s.yaml:2: not valid YAML: a tab",
    "a\x07": "s.yaml:1: not valid YAML",
    '"\\ud83d"': "s.yaml:1: not valid YAML",
    "\ud83d": "s.yaml:1: not valid YAML",
    "%YAML 2.0\n--- a": "s.yaml:1: not valid YAML",
    "%TAG !e! tag:e:\n--- a": "s.yaml:1: not valid YAML",
    "[" * 60: f"s.yaml:1: more than {DEPTH_MOST} lists or mappings inside each other",
}


@pytest.mark.parametrize("text", WRONG, ids=range(len(WRONG)))
def test_what_is_not_plain_yaml_is_refused_with_its_line(text):
    with pytest.raises(ModelError) as caught:
        parse_yaml(text, "s.yaml")

    assert str(caught.value).startswith(f"{WRONG[text]}; allowed: ")


MILLION = 1_000_000
COSTLY = {
    "flow lists": "[" * (MILLION - 1),
    "flow mappings": "{a: " * (MILLION // 4),
    "block lists": "- " * (MILLION // 2),
    "complex keys": "? " * (MILLION // 2),
    "one long line": "a: [" + "x, " * (MILLION // 4) + "]",
    "a long text": "a: " + "x" * (MILLION - 9),
    "a long key": "k" * (MILLION - 9) + ": 1",
    "a long quoted text": "a: '" + "x " * (MILLION // 3) + "'",
    "escapes": 'a: "' + "\\x41" * (MILLION // 5) + '"',
    "tags": "%TAG !a! b\n" * (MILLION // 12) + "--- a",
    "comments": "#\n" * (MILLION // 3) + "a: 1",
    "anchors": "".join(f"a{n}: &x{n} 1\n" for n in range(49_000)),
    "aliases": "a: &a [x]\nb: [" + "*a, " * (MILLION // 5) + "]",
    "documents": "--- a\n" * (MILLION // 7),
    "laughs": "a0: &a0 x\n" + "".join(f"a{n}: &a{n} [{f'*a{n - 1}, ' * 9}]\n" for n in range(1, 99)),
    "deep by aliases": "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, 999)),
    "merges": "a0: &a0 {k: 1}\n" + "".join(f"a{n}: &a{n} {{<<: *a{n - 1}, k{n}: 1}}\n" for n in range(1, 9999)),
    "unknown keys": "".join(f"k{n}: 1\n" for n in range(49_000)),
    "hosts": TWO_HOSTS + "".join(f"  - {{name: n{n}, local_ip: x}}\n" for n in range(12_000)),
    "many bridges": TWO_HOSTS.replace("}\n", ", bridge_mappings: {" + ", ".join(f"p{n}: brp{n}" for n in range(9000)) + "}}\n", 1) + "x: 1",
    "many ports": f"{TWO_HOSTS}networks:\n- {{name: a, network_type: vxlan, segmentation_id: 1, subnets: [{{cidr: 10.0.0.0/8}}]}}\nports:\n"
    + "".join(f"- {{server: s{n}, host: h1, network: a}}\n" for n in range(4000)) + "- {server: x, host: h9, network: a}\n",
    "entries of mixed types": f"{TWO_HOSTS}agent: {{tunnel_types: [{'gre, 1, {}, [], ' * 10_000}]}}",
}  # fmt: skip


@pytest.mark.parametrize("kind", COSTLY)
def test_a_costly_file_is_read_or_refused_within_a_second(kind):
    path = write("s.yaml", COSTLY[kind])
    started = time.process_time()

    with pytest.raises(ModelError) as caught:
        load(path)

    assert time.process_time() - started < MEANT_S * LOADED
    assert len(str(caught.value)) < 100_000
    errors = caught.value.errors if isinstance(caught.value, ModelErrors) else (caught.value,)
    assert all(str(each).startswith("s.yaml:") for each in errors)


def test_the_limits_are_far_above_a_large_scenario():
    ports = [f"- {{server: s{n}, host: h{n % 2}, network: red, fixed_ips: [10.0.{n // 200}.{n % 200 + 2}]}}\n"
             for n in range(1000)]  # fmt: skip
    text = f"{TWO_HOSTS}networks:\n- name: red\nports:\n{''.join(ports)}"
    values = text.count(":") + text.count("[")

    assert len(text) < MILLION / 5
    assert values < VALUES_MOST / 5
    assert len(parse_yaml(text, "s.yaml")["ports"]) == 1000


def test_errors_beyond_the_limit_are_not_listed():
    errors = errors_of("".join(f"k{n}: 1\n" for n in range(200)))

    assert len(errors) == 101
    assert "s.yaml:1: more than 100 errors; allowed: none. Correct the others first." in errors
