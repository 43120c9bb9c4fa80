"""The colours of a chart on a dark page, from those on a white one.  Pure.

Greys are turned round, pale areas become dark ones of the same hue, and what would be too dark on a
dark page becomes lighter.  Every other colour stays, so that a mode keeps its colour.
"""

from colorsys import hls_to_rgb, rgb_to_hls

PAPER = "#14171a"  # of a dark page
LIGHTEST, DARKEST = 0.93, 0.09  # lightness of what was black, and of what was white
GREY = 0.13  # the range of red, green and blue below which a colour is a grey
PALE, TINT = 0.78, 0.2  # lightness from which an area is pale, and of its dark counterpart
READABLE = 4.0  # contrast with the page (WCAG 2.2, 1.4.11 asks for 3)


def dark(colour: str) -> str:
    """The colour in place of `colour` (both as in `#1c6cae`) on a dark page."""
    red, green, blue = _parts(colour)
    hue, lightness, saturation = rgb_to_hls(red, green, blue)
    if lightness == 1:
        return PAPER
    if max(red, green, blue) - min(red, green, blue) < GREY:
        turned = LIGHTEST - (LIGHTEST - DARKEST) * lightness
        return _hex(hls_to_rgb(hue, turned, saturation / 2))
    if lightness > PALE:
        return _hex(hls_to_rgb(hue, TINT, min(saturation, 0.45)))
    while contrast(_hex(hls_to_rgb(hue, lightness, saturation)), PAPER) < READABLE:
        lightness += 0.02
    return _hex(hls_to_rgb(hue, lightness, saturation))


def contrast(one: str, other: str) -> float:
    """The contrast of two colours, 1 to 21 (WCAG 2.2)."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in _parts(colour)
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _parts(colour: str) -> tuple[float, float, float]:
    red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return red, green, blue


def _hex(parts: tuple[float, float, float]) -> str:
    return "#" + "".join(f"{round(255 * part):02x}" for part in parts)
