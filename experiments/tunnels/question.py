"""The question of `tunnels`: factors, predictions, columns."""

from controller.model.modes import MODES, Flooding
from controller.model.parts import Mechanism
from experiments.core.question import Prediction, Question, integer, number, text
from experiments.tunnels.words import DENSE, MEMORY, PAIRS, SETUP


def _modes_without(mechanism: Mechanism, *flooding: Flooding) -> tuple[str, ...]:
    """Modes that a prediction about this mechanism and flooding makes no claim about."""
    return tuple(
        str(mode)
        for mode in MODES
        if mode.flooding not in flooding or mode.mechanism is not mechanism
    )


QUESTION = Question(
    name="tunnels",
    question="How many tunnels do N hosts need, and what does one cost a host?",
    unit="ports",
    value="ports_in_all",
    factors={
        "mode": ("gre-mesh", "gre-l2pop", "vxlan-mesh", "vxlan-l2pop", "kvxlan-mesh"),
        "membership": (DENSE, PAIRS),
        "hosts": (2, 4, 8, 16),
    },
    report="tunnels",
    predictions=(
        Prediction(
            claim="in a mesh, every host has N-1 tunnel ports, N(N-1) in total for N(N-1)/2 pairs "
            "of hosts, whichever hosts share a network",
            reason="an agent makes a port to every VTEP that it is notified of, with GRE and with "
            "VXLAN; a port has one remote address, so each host of a pair needs its own",
            excludes=_modes_without(Mechanism.OPENVSWITCH, Flooding.MESH),
        ),
        Prediction(
            claim="with l2population, a host has tunnel ports only to hosts that share a network "
            "with it: N-1 if all do, 1 if two do",
            reason="l2population notifies an agent only of VTEPs with a port on its networks",
            excludes=_modes_without(Mechanism.OPENVSWITCH, Flooding.L2POP, Flooding.L2POP_ARP),
        ),
        Prediction(
            claim="with kernel VXLAN, a host has no tunnel port, but one VXLAN device per network, "
            "whose FDB floods to N-1 VTEPs or to one multicast group",
            reason="a VXLAN device has no fixed remote address; its FDB has the VTEP of each frame",
            excludes=_modes_without(Mechanism.LINUXBRIDGE, *Flooding),
        ),
        Prediction(
            claim="a tunnel port takes 5 to 25 KiB of ovs-vswitchd's memory, with GRE and with "
            "VXLAN",
            reason="a port is a row, a netdev and two hash entries; a quick run measured 12 KiB",
            about=MEMORY,
            low=5.0,
            high=25.0,
        ),
        Prediction(
            claim="set-up time grows at least linearly and at most quadratically with the number "
            "of ports, with GRE and with VXLAN: the exponent is 0.9 to 2.1, fitted from about a "
            "quarter of the largest number of ports on, after subtracting the time of a "
            "transaction without ports",
            reason="each port is a row and a netdev that are made one by one, and may be looked "
            "up among all the others, but not among pairs of them; 0.1 either way is for noise",
            about=SETUP,
            low=0.9,
            high=2.1,
        ),
    ),
    columns={
        "mode": text("network type and flooding method"),
        "membership": text(
            "dense: one network with a guest on every host; pairs: a network for every two hosts; "
            "either way one guest per host"
        ),
        "hosts": integer("compute hosts, each with one VTEP"),
        "ports_in_all": integer("tunnel ports of all br-tun together; each tunnel has two ends"),
        "pairs": integer("pairs of hosts of which one has a tunnel port to the other"),
        "ports_per_host": integer("the most tunnel ports that one host has"),
        "rules_in_all": integer("flows of all br-tun together, without learned ones"),
        "devices_in_all": integer("VXLAN devices of the kernel, on all hosts together"),
        "flood_in_all": integer(
            "VTEPs, or multicast groups, that hosts send a broadcast to, by table 22 or by "
            "all-zeros FDB entries; summed over hosts and networks"
        ),
    },
    more={
        "hosts": {
            "host": text("compute host"),
            "ports": integer("its tunnel ports"),
            "rules": integer("flows of its br-tun, without learned ones"),
            "devices": integer("its VXLAN devices of the kernel"),
            "flood": integer("VTEPs or groups that it sends a broadcast to, over its networks"),
            "pss_kib": integer(
                "memory of its ovs-vswitchd [KiB]; a page that several processes share counts in "
                "part, so it falls with the number of hosts"
            ),
            "private_kib": integer("memory of its ovs-vswitchd [KiB], without shared pages"),
        },
        "ladder": {
            "type": text("type of the tunnel ports that were added to the first host"),
            "ports": integer("number of them, on a bridge of their own"),
            "setup_s": number(
                "duration of one ovs-vsctl that adds them in one transaction and waits until "
                "ovs-vswitchd has made them [s]; no flows, and the remote addresses do not exist"
            ),
            "pss_kib": integer("memory of its ovs-vswitchd with them [KiB]"),
            "private_kib": integer("the same without shared pages [KiB]"),
        },
    },
)
