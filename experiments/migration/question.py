"""Factors, predictions and columns of `migration`."""

from controller.model.modes import MODES
from experiments.core.question import Prediction, Question, integer, number, text
from experiments.migration.words import (
    CACHED,
    FLUSHED,
    L2POP,
    LEARNED,
    MARGIN_MS,
    UNKNOWN,
    WITH,
    WITHOUT,
)

QUESTION = Question(
    name="migration",
    question="How long does traffic stop when a guest moves to another host with its MAC and IP?",
    unit="moves",
    value="censored",
    factors={"mode": tuple(str(mode) for mode in MODES if mode.network_type)},
    report="migration",
    predictions=(
        Prediction(
            claim="where MACs are learned, without gratuitous ARP: no guest is reachable again "
            "within the time limit",
            reason="switches that have learned the MAC (of the underlay, table 20, the FDB of a kernel) "
            "keep the entry for 300 s, and only a frame from the guest corrects it",
            about=f"{LEARNED} {WITHOUT}",
        ),
        Prediction(
            claim="where MACs are learned, with gratuitous ARP: every guest is reachable again "
            "within the time limit",
            reason="gratuitous ARP is a broadcast: every switch on its path learns from it; the first "
            "ones are lost while the port is not yet connected",
            about=f"{LEARNED} {WITH}",
        ),
        Prediction(
            claim="where MACs are learned, with gratuitous ARP after the megaflows are flushed: "
            "every guest is reachable again within the time limit",
            reason="the first packet of a flow passes the tables, and table 10 learns from it",
            about=f"{LEARNED} {FLUSHED}",
        ),
        Prediction(
            claim="OVS mesh, with gratuitous ARP: the median downtime is 100 to 1000 ms longer with "
            "cached megaflows than after they are flushed",
            reason="a packet that matches a megaflow passes no table: table 10 learns from it when "
            "a revalidator reads the counters, every 500 ms (other_config:max-revalidator); if the "
            "old host also sent since then and its counter is read last, it takes another 500 ms",
            about=CACHED,
            low=MARGIN_MS,
            high=1000,
        ),
        Prediction(
            claim="l2population, without gratuitous ARP, to a host that had never seen the MAC: "
            "every guest is reachable again",
            reason="the server sends the location of the MAC to every host once the port is bound",
            about=f"{L2POP} {UNKNOWN}",
        ),
        Prediction(
            claim="l2population, without gratuitous ARP, to a host that has learned the MAC: no "
            "guest is reachable again within the time limit",
            reason="frames arrive at the right host, but its own bridge has learned that the MAC is "
            "behind the tunnel: it drops frames that came from there",
            about=f"{L2POP} {WITHOUT}",
        ),
        Prediction(
            claim="l2population, with gratuitous ARP: every guest is reachable again within the "
            "time limit",
            reason="the bridge of the new host learns the guest's new location from it; the "
            "messages of the server do not change what that bridge has learned",
            about=f"{L2POP} {WITH}",
        ),
    ),
    columns={
        "move": integer("number of the move, from 1"),
        "way": text(
            "kind of move: with gratuitous ARP after plugging, at the times of QEMU, or without; "
            "megaflows flushed: on every host before the move, as if the guest had never sent; "
            "MAC unknown: flushed from the bridge of the new host before the move"
        ),
        "to": text("the new host"),
        "downtime_ms": number(
            "time without a datagram; of a censored move: the length of the wait"
        ),
        "lost": integer("datagrams of the stream that were lost; of a censored move: unknown"),
        "censored": integer("1: still unreachable at the time limit"),
        "plugged_ms": number("from unplugging until the interface was up on the new host"),
        "bound_ms": number("from unplugging until the controller was informed"),
        "active_ms": number("from unplugging until the controller reported ACTIVE"),
        "pause_ms": number("random pause before the move"),
    },
)
