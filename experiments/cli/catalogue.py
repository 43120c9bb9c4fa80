"""The experiments there are, each with the line that says what it asks.  Imports nothing."""

EXPERIMENTS: tuple[tuple[str, str], ...] = (
    ("latency", "how much round-trip time does a tunnel cost, and its way of flooding?"),
    ("mtu", "which packets pass a tunnel, and what becomes of larger ones?"),
    ("fanout", "how many copies of one broadcast cross the underlay, and how many in vain?"),
    ("tunnels", "how many tunnels do N hosts need, and what does one cost a host?"),
    ("state", "what does a tunnel send before the first tenant frame, and keep after it?"),
    ("mactable", "how does the underlay's MAC table grow, and what if it is full?"),
    ("migration", "how long is a guest in the dark that moves to another host?"),
    ("throughput", "how much does a mode carry, by packet size, and what does a gigabyte cost?"),
    ("segments", "how many networks does each type keep apart, and how many can it name?"),
    ("ecmp", "over how many of the underlay's equal paths do the flows of a tunnel spread?"),
    ("walk", "which headers has a packet between two sites, and what is their tunnel worth?"),
    ("filter", "can a firewall in the underlay stop one tenant's flow and pass another's?"),
    ("aa", "does the comparison keep its word when there is no difference to find?"),
)
DEFAULT: tuple[str, ...] = ("latency", "mtu", "fanout")  # run without a name
