"""Turns matplotlib's SVG into an element of a page: own ids, colours by variable, tagged curves.

A script in the page shows and hides curves and points. It finds them by attributes:

data-c  number of the curve that a group of the figure belongs to
data-k  what the group is: `line`, `mark` (markers of points), `stroke` (intervals), `key` (legend)
data-b  budget of a marker
data-n  measured NFE of a marker that has no budget

Names of curves are never part of an id or of an attribute: curves are known by number.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from math import isnan

from bench.render.labels import tick
from bench.report.styles import INKS

_TAG = re.compile(r"<[^>]*>")
_PROLOGUE = re.compile(r"^.*?(?=<svg\b)", re.DOTALL)
_NAMESPACE = re.compile(r'\s+xmlns(?::\w+)?="[^"]*"')
_LONG_DECIMAL = re.compile(r"(-?\d+\.\d{2})\d+")
_REFERENCE = re.compile(r'(\bid="|\bhref="#|url\(#)')
_SIZE = re.compile(r'\s(?:width|height)="[\d.]+pt"')
_OWN = re.compile(r' id="curve-(\d+)-(line|mark|stroke|key)-(\d+)"')
_MARKERS = re.compile(r'<g id="curve-\d+-mark-(\d+)">.*?</g>', re.DOTALL)
_USE = re.compile(r"<use\b([^>]*?)(\s*/?>)")
_STYLE = re.compile(r' style="[^"]*"')
_PLAIN_ID = re.compile(r' id="(?:line2d|text|xtick|ytick|matplotlib\.axis|patch|axes|figure)_\d+"')


def place(budget: float, nfe: float) -> str:
    """Return the attribute of a marker: its budget, else its measured NFE."""
    if not isnan(budget):
        return f' data-b="{tick(budget)}"'
    return f' data-n="{nfe:.2f}"'


def inline(svg: str, prefix: str, marks: Mapping[int, Sequence[str]]) -> str:
    """Turn the SVG of a figure into an element of a page.

    Only tags are touched. Text, which may be a plugin's name, is escaped in the source (a raw `<`
    never occurs in it) and stays as it is.

    Args:
        svg: as matplotlib wrote it.
        prefix: of its ids, so that no two figures of a page share one.
        marks: attributes of the markers in each group of them.
    """
    width = re.search(r'width="([\d.]+)pt"', svg)
    body = _MARKERS.sub(lambda group: _place(group, marks), _PROLOGUE.sub("", svg, count=1))
    body = _TAG.sub(lambda tag: _tidy(tag.group(), prefix), body)
    limit = f"{float(width.group(1)) * 4 / 3:.0f}px" if width else "100%"
    return body.replace("<svg", f'<svg role="img" style="max-width:{limit}"', 1)


def _place(group: re.Match[str], marks: Mapping[int, Sequence[str]]) -> str:
    """Put the places of markers on them, and their common style on their group."""
    text, places = group.group(), marks.get(int(group.group(1)), ())
    found = _USE.findall(text)
    styles = {style.group() for use, _ in found if (style := _STYLE.search(use))}
    own = len(styles) == 1
    if own:
        text = text.replace(">", f"{styles.pop()}>", 1)
    own_places = iter(places if len(places) == len(found) else [""] * len(found))
    return _USE.sub(
        lambda use: f"<use{_STYLE.sub('', use[1]) if own else use[1]}{next(own_places)}{use[2]}",
        text,
    )


def _tidy(tag: str, prefix: str) -> str:
    tag = _NAMESPACE.sub("", tag).replace("xlink:href", "href")
    if tag.startswith("<svg"):
        tag = _SIZE.sub("", tag)
    if "base64," in tag:  # the text of an image is long and holds none of what follows
        return _REFERENCE.sub(rf"\g<1>{prefix}-", tag)
    for ink in INKS:
        tag = tag.replace(ink.light, f"var(--{ink.name})")
    tag = _OWN.sub(r' data-c="\1" data-k="\2"', _PLAIN_ID.sub("", tag))
    tag = _LONG_DECIMAL.sub(r"\1", tag)
    return _REFERENCE.sub(rf"\g<1>{prefix}-", tag)
