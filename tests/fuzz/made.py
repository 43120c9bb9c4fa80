"""Strategies: texts and values that are nearly right."""

from hypothesis import strategies as st

EXTREME = (
    None, True, False, 0, -1, 1, 4095, 65536, 2**24, 2**32, 2**63, 2**64, 10**30, 0.5, 1e300, "", " ", "x", "nan",
    "007", "1e5", "true", "null", "~", "..", "../../x", "/dev/zero", "/etc", "a\nb", "a\tb", "é", "\u2028", "\x1b[31m",
    "<script>", "'", '"', ",", ",,", ":", "::", "a:b", "1:2", "2:1", "x" * 300, "😀", "0.0.0.0", "127.0.0.1",
    "224.0.0.1", "255.255.255.255", "::", "::1", "fe80::1", "ff02::1", "::ffff:10.0.0.1", "10.0.0.0/8", "10.0.0.1/33",
    "00:00:00:00:00:00", "01:00:5e:00:00:01", "ff:ff:ff:ff:ff:ff", "vxlan", "gre", "flat", "vlan", "local", "queens",
    [], {}, [[]], [{}], {"": ""}, {"a": None}, [None], ["a", "a"], ["a", 1, None],
)  # fmt: skip
leaves = st.sampled_from(EXTREME) | st.text(max_size=12) | st.integers() | st.floats(allow_nan=True)
values = leaves | st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=8,
)
junk = st.text(
    st.sampled_from("[]{}:,-?*&!|>%@`'\"#\\ \t\n=.~0aeé\0\x1b\ufeff") | st.characters(), max_size=12
)


def paths_of(node, at=()):
    """The path of each value below `node`, and its own."""
    yield at
    inside = (
        node.items()
        if isinstance(node, dict)
        else enumerate(node)
        if isinstance(node, list)
        else ()
    )
    for key, value in inside:
        yield from paths_of(value, (*at, key))


def plain(node):
    """A copy of plain dicts and lists."""
    if isinstance(node, dict):
        return {key: plain(value) for key, value in node.items()}
    return [plain(value) for value in node] if isinstance(node, list) else node


@st.composite
def changed(draw, whole, most=3):  # noqa: C901  one case for each kind of change
    """`whole` with up to `most` values dropped, repeated, replaced, renamed or wrapped."""
    whole = plain(whole)
    for _ in range(draw(st.integers(1, most))):
        path = draw(st.sampled_from(list(paths_of(whole))))
        if not path:
            continue
        *above, last = path
        holder = whole
        for step in above:
            holder = holder[step]
        match draw(
            st.sampled_from(("drop", "repeat", "replace", "rename", "wrap", "swap", "many"))
        ):
            case "drop":
                del holder[last]
            case "repeat" if isinstance(holder, list):
                holder.insert(last, plain(holder[last]))
            case "rename" if isinstance(holder, dict):
                holder[draw(st.sampled_from(("x", "", "name", "id", "mtu")) | junk)] = holder.pop(
                    last
                )
            case "wrap":
                holder[last] = draw(
                    st.sampled_from(([holder[last]], {"a": holder[last]}, str(holder[last])))
                )
            case "swap":
                other = draw(st.sampled_from(list(paths_of(whole))))
                value = whole
                for step in other:
                    value = value[step]
                holder[last] = plain(value)
            case "many" if isinstance(holder, list):
                holder.extend(
                    plain(holder[last]) for _ in range(draw(st.sampled_from((2, 20, 300))))
                )
            case _:
                holder[last] = draw(values)
    return whole


@st.composite
def edited(draw, text, most=4):
    """`text` with parts cut, repeated, replaced or added."""
    for _ in range(draw(st.integers(1, most))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.sampled_from((0, 1, 1, 2, 8, 40, 400))))
        part = text[start:end]
        put = draw(st.one_of(
            junk, st.just(""), st.just(part * 2), st.sampled_from([str(each) for each in EXTREME]),
            st.sampled_from(("[" * 99, "- " * 99, "&a ", "*a", "<<: *a\n", "!!omap ", "---\n", "\n" * 9)),
        ))  # fmt: skip
        text = text[:start] + put + text[end:]
    return text
