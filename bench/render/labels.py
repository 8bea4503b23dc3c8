"""Names of plugins come from strangers: make them fit for figures and for file names."""

from __future__ import annotations

import math
import re
from string import ascii_uppercase

_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def shorten_label(name: str, width: int) -> str:
    """The name on one line of at most `width` characters, shortened in the middle.

    A leading underscore, which would hide a line from matplotlib's legend, is moved away from the
    start by a space.
    """
    printable = "".join(c if c.isprintable() else " " for c in name).strip() or "(no name)"
    if len(printable) > width:
        head = (width - 1) * 2 // 3
        printable = f"{printable[:head]}…{printable[head + 1 - width :]}"
    return f" {printable}" if printable.startswith("_") else printable


def slug(name: str) -> str:
    """A file name's worth of the name: lower-case ASCII letters, digits and hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower())[:60].strip("-") or "unnamed"


def number(value: float) -> str:
    """A value with four significant digits."""
    return "–" if math.isnan(value) else f"{value:.4g}"


def with_half_width(value: float, half_width: float) -> str:
    """A value and the half-width of its interval, to the digit that the interval leaves certain."""
    if math.isnan(value):
        return "–"
    if math.isnan(half_width) or half_width <= 0 or not math.isfinite(half_width):
        return number(value)
    digits = 1 - math.floor(math.log10(half_width))  # two digits of the half-width
    if digits <= 6 and 1e-3 <= max(abs(value), half_width) < 1e6:
        places = max(digits, 0)
        return f"{value:.{places}f} ± {half_width:.{places}f}"
    # as many digits of the value as reach the first digit of the half-width
    digits = math.floor(math.log10(abs(value))) + digits - 1 if value else 0
    return f"{value:.{min(max(digits, 0), 5)}e} ± {half_width:.0e}"


def tick(value: float) -> str:
    """A label of a logarithmic axis, in plain text: 0.02, 5, 20 000, 10⁻⁷."""
    if not value > 0:
        return ""
    exponent = math.floor(math.log10(value) + 1e-9)
    if -3 <= exponent <= 4:
        return f"{value:.4g}" if value < 1e4 else f"{value:,.0f}".replace(",", " ")
    factor = value / 10.0**exponent
    power = "10" + str(exponent).translate(_SUPERSCRIPTS)
    return power if abs(factor - 1) < 1e-6 else f"{factor:.3g}×{power}"


def letters(count: int) -> list[str]:
    """A name for each of several protocols, empty where there is only one."""
    if count == 1:
        return [""]
    return [ascii_uppercase[i] if i < 26 else str(i + 1) for i in range(count)]


def metric_label(metric: str, unit: str) -> str:
    """The metric's name with its unit."""
    return f"{metric} ({unit or '1'})"
