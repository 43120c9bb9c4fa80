"""The same app under Ryu 4.34 installs the same flows as under os-ken."""

import pytest

from controller.flows.pipeline import RELEASES
from tests.controller.switches.agreement import assert_dumps_equal_the_offline_text
from tests.controller.switches.live import OS_KEN, ROOT
from tests.controller.switches.rig import Rig
from tests.oracle.overlays import SEEDS as SOME
from tests.oracle.overlays import mode_of, named, overlay_of, release_of

pytestmark = pytest.mark.rootless

# One of each kind: own types, a mesh, l2population, both with the ARP responder, no tunnel.
WANTED = ("mesh", "l2pop-arp", "gre-mesh", "vxlan-l2pop-arp", "flat", "vlan")
KINDS = tuple(zip(WANTED, RELEASES * 3, strict=True))  # both releases in turn
SEEDS = [
    next(seed for seed in SOME if (str(mode_of(seed)), release_of(seed)) == kind) for kind in KINDS
]


def dumps(laid: Rig) -> dict[tuple[str, str], str]:
    """Every switch's dump, cookies included."""
    return {
        (host.name, bridge): laid.switches[host.name].dump(bridge)
        for host in laid.overlay.hosts
        for bridge in laid.texts(host)
    }


@pytest.mark.parametrize("seed", SEEDS, ids=named)
def test_ryu_installs_what_os_ken_installs(live_rig, need_ryu, seed):
    overlay = overlay_of(seed)
    laid = live_rig(overlay, (str(need_ryu), str(ROOT / "controller" / "app.py")))
    assert "ryu on" in laid.controller.log()
    assert_dumps_equal_the_offline_text(laid)


def test_os_ken_finds_nothing_to_change_where_ryu_has_been(live_rig, need_ryu):
    """Not only the text is the same: os-ken compares the bytes of match and instructions."""
    laid = live_rig(overlay_of(SEEDS[1]), (str(need_ryu), str(ROOT / "controller" / "app.py")))
    before = dumps(laid)
    assert " changes" in laid.controller.log()
    laid.controller.kill()
    laid.controller.program = OS_KEN
    laid.controller.home.joinpath("log").write_text("")
    laid.controller.start()
    laid.controller.wait_until_wired()
    assert "os-ken on" in laid.controller.log()
    assert " changes" not in laid.controller.log()
    assert dumps(laid) == before
