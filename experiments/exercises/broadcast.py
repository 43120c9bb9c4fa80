"""Exercise 1: the copies of a broadcast, in a mesh and with l2population."""

from collections.abc import Iterator, Mapping

from experiments.exercises.exercise import EXERCISES, Finding, answered
from experiments.exercises.reading import Ping, answered_pings
from topologies.lab.lab import Lab
from topologies.plan.plan import guest_name
from topologies.trace.trace import copies_sent

EXERCISE = EXERCISES["broadcast"]
SENDER, NETWORK = "a", "red"


def check(lab: Lab, answers: Mapping[str, int]) -> Iterator[Finding]:
    """Pings first: an answer counts only in a lab where the network works."""
    overlay = lab.overlay
    network = next(each for each in overlay.networks if each.name == NETWORK)
    ports = list(overlay.active_ports(network.id))
    others = [port for port in ports if guest_name(port) != SENDER and port.fixed_ips]
    if not others:
        look = "Begin again: take the lab down, then step 1 of the exercise."
        yield Finding(False, f"network {NETWORK} has no server besides {SENDER}.", look)
        return
    replies = answered_pings(lab, [Ping(SENDER, str(port.fixed_ips[0])) for port in others])
    silent = [
        guest_name(port) for port in others if not replies[Ping(SENDER, str(port.fixed_ips[0]))]
    ]
    yield Finding(
        not silent,
        f"{SENDER} gets no answer from {', '.join(silent)}."
        if silent
        else f"{SENDER} gets an answer from each of the {len(others)} other servers of {NETWORK}",
        "`overlaylab status` shows what is wrong in the lab." if silent else "",
    )
    reached = [
        str(copy.outer.target)
        for copy in copies_sent(lab, SENDER, guest_name(others[0]), "broadcast")
        if copy.outer
    ]
    members = {str(host.local_ip) for host in overlay.members(network.id)}
    yield answered(
        EXERCISE,
        "copies",
        answers,
        len(reached),
        "is not what host1 sends now. Capture one broadcast on its interface `underlay`, and count.",
    )
    yield answered(
        EXERCISE,
        "unneeded",
        answers,
        sum(vtep not in members for vtep in reached),
        "is not right now. Compare the outer destination addresses with the hosts of the servers.",
    )
