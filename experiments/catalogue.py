"""The experiments there are, each with the line that says what it asks.  Imports nothing."""

EXPERIMENTS: tuple[tuple[str, str], ...] = (
    ("latency", "how much round-trip time does a tunnel cost, and its way of flooding?"),
    ("mtu", "which packets pass a tunnel, and what becomes of larger ones?"),
    ("fanout", "how many copies of one broadcast cross the underlay, and how many in vain?"),
    ("aa", "does the comparison keep its word when there is no difference to find?"),
)
DEFAULT: tuple[str, ...] = ("latency", "mtu", "fanout")  # run without a name
