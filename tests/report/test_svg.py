"""Figures on the page: tagged curves, told by number, and nothing of their names in attributes."""

from __future__ import annotations

import re

import pandas as pd

from bench.report import Report
from bench.report.drawing.svg import inline, place
from bench.report.styles import curve_styles
from bench.results.frame import prepare_frame


def test_markers_say_where_they_stand() -> None:
    assert place(20.0, 19.0) == ' data-b="20"'
    assert place(float("nan"), 33.5) == ' data-n="33.50"'


def test_a_group_of_markers_gets_its_places_and_one_style() -> None:
    svg = (
        '<?xml?><svg width="72pt" height="72pt"><g id="curve-3-mark-7"><defs><path id="m1"/></defs>'
        '<g clip-path="url(#p1)"><use xlink:href="#m1" x="1.23456" style="fill: #01396a"/>'
        '<use xlink:href="#m1" x="2" style="fill: #01396a"/></g></g></svg>'
    )
    got = inline(svg, "fig", {7: (' data-b="5"', ' data-n="9.00"')})
    assert '<g data-c="3" data-k="mark" style="fill: var(--hue-0)">' in got
    assert '<use href="#fig-m1" x="1.23" data-b="5"/>' in got
    assert '<use href="#fig-m1" x="2" data-n="9.00"/>' in got


def test_other_numbers_of_markers_are_left_alone() -> None:
    svg = '<svg width="72pt"><g id="curve-3-mark-7"><use x="1"/></g></svg>'
    assert "data-b" not in inline(svg, "fig", {7: (' data-b="5"', ' data-b="6"')})


def test_every_curve_is_tagged_with_its_number(report: Report, results: pd.DataFrame) -> None:
    html = report.page.read_text(encoding="utf-8")
    numbers = {str(style.number) for style in curve_styles(prepare_frame(results)).values()}
    for part in ("line", "mark", "stroke", "key"):
        tagged = set(re.findall(rf'data-c="(\d+)" data-k="{part}"', html))
        assert tagged == numbers, part
    assert set(re.findall(r'<use[^>]* data-b="([^"]*)"', html)) == {"5", "10", "20", "40"}
    assert "curve-" not in "".join(re.findall(r' id="([^"]*)"', html))
