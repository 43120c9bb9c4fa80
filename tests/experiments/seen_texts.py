"""The visible texts of a figure: none may overlap another, none may be cut off."""

from itertools import combinations

from matplotlib.text import Text


def assert_readable(figure, *, at_least):
    """There are `at_least` so many texts, none overlaps another, and all are on the sheet."""
    figure.draw_without_rendering()
    whole = figure.bbox.padded(0.5)
    boxes = dict(texts(figure))
    assert len(boxes) >= at_least
    for (one, box), (other, second) in combinations(boxes.items(), 2):
        assert not box.overlaps(second), f"{one} and {other}"
    for name, box in boxes.items():
        assert whole.contains(*box.min), name
        assert whole.contains(*box.max), name


def texts(figure):
    """Every visible text by panel and content, with its box."""
    renderer = figure.canvas.get_renderer()
    unseen = {label for ax in figure.axes for label in beyond(ax)}
    for where, parent in enumerate([figure, *figure.axes]):
        for text in parent.findobj(Text) if where else figure.texts:
            if text.get_visible() and text.get_text().strip() and text not in unseen:
                yield (where, text.get_text(), id(text)), text.get_window_extent(renderer)


def beyond(ax):
    """Labels of ticks outside the view, or of axes switched off; matplotlib does not draw them."""
    for axis in (ax.xaxis, ax.yaxis):
        low, high = sorted(axis.get_view_interval())
        for tick in (*axis.get_major_ticks(), *axis.get_minor_ticks()):
            if not (ax.axison and low <= tick.get_loc() <= high):
                yield from (tick.label1, tick.label2)
