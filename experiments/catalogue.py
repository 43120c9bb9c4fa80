"""The experiments there are, each with the line that says what it asks.  Imports nothing."""

EXPERIMENTS: tuple[tuple[str, str], ...] = (
    ("latency", "how much round-trip time does a tunnel, and its way of flooding, cost?"),
)
DEFAULT: tuple[str, ...] = ("latency",)  # run without a name
