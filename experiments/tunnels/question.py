"""The question of `tunnels`: factors, predictions, columns."""

from controller.model.modes import MODES, Flooding, Mode
from controller.model.parts import Mechanism
from experiments.core.question import Prediction, Question, integer, number, text
from experiments.tunnels import labs as stage

L2POP = (Flooding.L2POP, Flooding.L2POP_ARP)


def _not_of(flooding: tuple[Flooding, ...], mechanism: Mechanism) -> tuple[str, ...]:
    """Modes that a prediction about others does not speak of."""

    def is_other(mode: Mode) -> bool:
        return mode.flooding not in flooding or mode.mechanism is not mechanism

    return tuple(str(mode) for mode in MODES if is_other(mode))


QUESTION = Question(
    name="tunnels",
    question="How many tunnels do N hosts need, and what does one cost a host?",
    unit="ports",
    value="ports_in_all",
    factors={
        "mode": ("gre-mesh", "gre-l2pop", "vxlan-mesh", "vxlan-l2pop", "kvxlan-mesh"),
        "membership": (stage.DENSE, stage.PAIRS),
        "hosts": (2, 4, 8, 16),
    },
    report="tunnels",
    predictions=(
        Prediction(
            claim="mesh: N-1 tunnel ports on every host, N(N-1) in all, for N(N-1)/2 pairs, "
            "whoever shares a network",
            reason="an agent makes a port to every VTEP that it hears of; VXLAN as GRE, since "
            "a port is only the address of a far end, and each end keeps its own",
            excludes=_not_of((Flooding.MESH,), Mechanism.OPENVSWITCH),
        ),
        Prediction(
            claim="l2pop: ports only to hosts that share a network: N-1 if all do, 1 if two do",
            reason="l2population names a VTEP to those who have a port on its network",
            excludes=_not_of(L2POP, Mechanism.OPENVSWITCH),
        ),
        Prediction(
            claim="the kernel's VXLAN has no tunnel port at all: one device for each network, and "
            "the far ends as its entries, N-1 on every host, or one group",
            reason="a VXLAN device has no far end of its own; where a frame goes, its FDB says",
            excludes=_not_of(tuple(Flooding), Mechanism.LINUXBRIDGE),
        ),
        Prediction(
            claim="a tunnel port takes 5 to 25 KiB of ovs-vswitchd's memory, GRE as VXLAN",
            reason="a port is a row, a netdev and two hash entries; a first look said 12 KiB",
            about="memory",
            low=5.0,
            high=25.0,
        ),
        Prediction(
            claim="set-up time grows with ports at least in proportion and at most with their "
            "square, GRE as VXLAN: by a power of 0.9 to 2.1, from about a quarter of the most "
            "ports on, the price of a transaction of none taken off",
            reason="each port is a row and a netdev that are made one by one, and may be looked "
            "up among all the others, but not among pairs of them; a tenth either way is for noise",
            about="set-up",
            low=0.9,
            high=2.1,
        ),
    ),
    columns={
        "mode": text("how the overlay is carried"),
        "membership": text(
            "dense: a guest of one network on every host; pairs: a network for "
            "every two hosts; either way one guest a host"
        ),
        "hosts": integer("compute hosts, each one VTEP"),
        "ports_in_all": integer("tunnel ports of all br-tun together; each tunnel has two ends"),
        "pairs": integer("pairs of hosts of which one has a tunnel port to the other"),
        "ports_per_host": integer("the most that one host has"),
        "rules_in_all": integer("rules of all br-tun together, without learned ones"),
        "devices_in_all": integer("VXLAN devices of Linux itself, on all hosts together"),
        "flood_in_all": integer(
            "far ends, or multicast groups, that hosts send a broadcast to, by table 22 "
            "or by FDB entries for all zeros; over all hosts and networks"
        ),
    },
    more={
        "hosts": {
            "host": text("compute host"),
            "ports": integer("its tunnel ports"),
            "rules": integer("of its br-tun, without learned ones"),
            "devices": integer("its VXLAN devices of Linux itself"),
            "flood": integer("far ends or groups that it sends a broadcast to, over its networks"),
            "pss_kib": integer(
                "of its ovs-vswitchd [KiB]: what is shared by many counts in part, so "
                "that it falls with hosts"
            ),
            "private_kib": integer("of its ovs-vswitchd [KiB]: what is not shared"),
        },
        "ladder": {
            "type": text("of the tunnel ports that were added to the first host"),
            "ports": integer("how many, on a bridge of their own that was empty before"),
            "setup_s": number(
                "from the start of one ovs-vsctl with all of them in one transaction to "
                "its end: ovs-vswitchd has made them [s]; no flows, no far ends"
            ),
            "pss_kib": integer("of its ovs-vswitchd with them [KiB]"),
            "private_kib": integer("of its ovs-vswitchd with them [KiB]: not shared"),
        },
    },
)
