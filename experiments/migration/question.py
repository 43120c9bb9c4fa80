"""The question of `migration`: factors, predictions, columns."""

from controller.model.modes import MODES
from experiments.core.question import Prediction, Question, integer, number, text

QUESTION = Question(
    name="migration",
    question="How long does a guest hear nothing that moves to another host, MAC and IP kept?",
    unit="moves",
    value="censored",
    factors={"mode": tuple(str(mode) for mode in MODES if mode.network_type)},
    report="migration",
    predictions=(
        Prediction(
            claim="learned and silent: in the dark for as long as is waited, in every move",
            reason=(
                "whoever learned where its MAC is (the underlay's switch, table 20, a kernel's "
                "FDB) keeps that for 300 s, and only a frame of the guest's own corrects it"
            ),
            about="learned silent",
        ),
        Prediction(
            claim="learned and announced: back before the wait is over, in every move",
            reason=(
                "a gratuitous ARP is a broadcast: it passes every switch on the way, and each "
                "learns from it; the first ones are lost while the port is not wired yet"
            ),
            about="learned announced",
        ),
        Prediction(
            claim="learned, announced, cached flows dropped: back before the wait is over, in every move",
            reason="the first packet of a flow runs through the tables, and table 10 learns from it",
            about="learned announced, uncached",
        ),
        Prediction(
            claim=(
                "a mesh of Open vSwitch: announced to cached flows, a guest is back 100 to 1000 ms "
                "later than announced to dropped ones, by the medians"
            ),
            reason=(
                "a packet that hits a cached flow runs through no table: table 10 learns from it "
                "when a revalidator comes round and counts it, every 500 ms "
                "(other_config:max-revalidator); if the old place spoke since the last time, too, "
                "and is counted after the new one, it takes another round"
            ),
            about="cached",
            low=100,
            high=1000,
        ),
        Prediction(
            claim="l2population, silent, to a host that never heard the guest: back in every move",
            reason="the server tells every host where the MAC is once the port is bound there",
            about="told silent, unheard",
        ),
        Prediction(
            claim="l2population, silent, to a host that had heard the guest: in the dark all the same",
            reason=(
                "frames come to the right host, whose own bridge has learned that the MAC is "
                "behind the tunnel: to where they came from, and so nowhere"
            ),
            about="told silent",
        ),
        Prediction(
            claim="l2population and announced: back before the wait is over, in every move",
            reason="the announcement teaches the destination's bridge what the server cannot",
            about="told announced",
        ),
    ),
    columns={
        "move": integer("number of the move, from 1"),
        "way": (
            text(
                "announced: gratuitous ARP when plugged, in QEMU's rhythm; silent: nothing; "
                "unheard: the destination's bridge was made to forget the guest's MAC before; uncached: "
                "every host's cached flows were dropped before, as if it had never spoken from anywhere"
            )
        ),
        "to": text("the host it went to"),
        "dark_ms": number(
            "milliseconds without a datagram; of a censored move: as long as was waited"
        ),
        "lost": integer("datagrams of the stream that never came; of a censored move: unknown"),
        "censored": integer("1: still dark when the wait was over"),
        "plugged_ms": number(
            "from the unplugging until the guest's wire was up at the destination"
        ),
        "bound_ms": number("until the controller had been told"),
        "active_ms": number("until the controller said ACTIVE"),
        "pause_ms": number("waited before the move, drawn by the seed"),
    },
)
