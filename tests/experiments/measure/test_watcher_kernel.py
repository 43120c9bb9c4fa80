"""Windows of a lab without Open vSwitch."""

from dataclasses import dataclass

from controller.model.modes import parse_mode, with_mode
from experiments.core.verdict import Seen, Thresholds, Window, judge
from experiments.measure.watch import Watcher
from topologies.scenario.load import load


def test_figures_of_open_vswitch_are_absent_in_a_lab_without_it(tmp_path):
    @dataclass
    class Double:
        overlay: object

        def pid(self, _):
            return 2**22 + 1  # no such process: every look fails

    (tmp_path / "stat").write_text("cpu  1 0 0 1 0 0 0 0 0 0\n")
    overlay = with_mode(load("article").overlay, parse_mode("kvxlan-mesh"))
    watcher = Watcher(Double(overlay), tmp_path / "stat")
    with watcher.window():
        pass
    (seen,) = watcher.windows
    assert set(seen.absent) == {"vswitchd_load", "lost_upcalls"}
    assert set(seen.unseen) == {"drops", "overflows", "control_median_ms", "control_lost"}


def test_a_figure_that_a_lab_cannot_have_does_not_make_a_run_unreliable():
    limits = Thresholds(vswitchd_load_max=0.9, lost_upcalls_max=0, repeats_min=1)
    of_kernel = Window(absent=("vswitchd_load", "lost_upcalls"))
    assert judge(Seen(repeats=1, windows={"r": (of_kernel,)}), limits).trusted
    assert len(judge(Seen(repeats=1, windows={"r": (Window(),)}), limits).reasons) == 2
    busy = Window(vswitchd_load=0.95, lost_upcalls=0)
    both = Seen(repeats=1, windows={"r": (of_kernel,), "s": (busy,)})
    (reason,) = judge(both, limits).reasons
    assert "busy 95%" in reason, "a lab without daemons does not lower the load of another"
