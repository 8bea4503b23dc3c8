"""A claim's figure: its curves, and its numbers beside the values that the claim asks for."""

from __future__ import annotations

import io
from collections.abc import Sequence

import matplotlib as mpl
import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from bench.render.labels import shorten_label
from bench.report.styles import HUES
from bench_claims.verdict import Finding, Line, Outcome, Panel, Verdict

# The report's, which its pages exchange for others on a dark screen.
COLORS = {
    Outcome.HOLDS: HUES[2].light,
    Outcome.FAILS: HUES[3].light,
    Outcome.DEPENDS: HUES[1].light,
    Outcome.UNDECIDED: HUES[7].light,
    Outcome.NOT_RUN: HUES[7].light,
}
MARKERS = "os^DvPX<p"
WIDTH, HEIGHT = 4.2, 3.4
"""Of a panel, in inches."""


def figure_of(verdict: Verdict) -> Figure:
    """The figure, with panels from left to right."""
    figure = Figure(figsize=size_of(verdict), layout="constrained")
    fill(figure, verdict)
    return figure


def size_of(verdict: Verdict) -> tuple[float, float]:
    """Width and height in inches."""
    height = max(HEIGHT, 0.42 * len(verdict.findings) + 1.2)
    return WIDTH * len(verdict.panels) + WIDTH * 1.3, height


def fill(figure: Figure, verdict: Verdict) -> None:
    """Draw the panels of a verdict into an empty figure."""
    with sns.axes_style("whitegrid"):
        count = len(verdict.panels) + 1
        ratios = [1.0] * (count - 1) + [1.3]
        axes = figure.subplots(1, count, squeeze=False, width_ratios=ratios)[0]
    for place, panel in zip(axes, verdict.panels, strict=False):
        _draw_panel(place, panel)
    _draw_findings(axes[-1], verdict.findings)


def svg(verdict: Verdict) -> str:
    """The figure as SVG markup; equal verdicts give equal text."""
    out = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": "scorebench", "svg.fonttype": "none"}):
        figure = figure_of(verdict)
        nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        FigureCanvasSVG(figure).print_svg(out, metadata=nothing)  # type: ignore[no-untyped-call]
    return out.getvalue()


def png(verdict: Verdict) -> bytes:
    """The figure as PNG."""
    figure, out = figure_of(verdict), io.BytesIO()
    FigureCanvasAgg(figure).print_png(out, metadata={"Software": None})  # type: ignore[no-untyped-call]
    return out.getvalue()


def _draw_panel(axes: Axes, panel: Panel) -> None:
    lines = [line for line in panel.lines if len(line.x) and np.isfinite(line.y).any()]
    for i, line in enumerate(lines):
        _draw_line(axes, line, HUES[i % len(HUES)].light, MARKERS[i % len(MARKERS)])
    if lines:
        axes.set_xscale("log")
    if lines and panel.logarithmic:
        axes.set_yscale("log")
    axes.set(xlabel=panel.x, ylabel=panel.y)
    axes.set_title(panel.title, loc="left", fontsize=9)
    if lines:
        axes.legend(fontsize=7, frameon=False)
    sns.despine(ax=axes)


def _draw_line(axes: Axes, line: Line, color: str, marker: str) -> None:
    axes.plot(line.x, line.y, color=color, marker=marker, ms=4, lw=1.3, label=line.label)
    if np.isfinite(line.low).all():
        axes.fill_between(line.x, line.low, line.high, color=color, alpha=0.18, lw=0)


def _draw_findings(axes: Axes, findings: Sequence[Finding]) -> None:
    """Estimates with intervals, each on a line of its own, in units of its region's threshold."""
    shown = [f for f in findings if f.n and np.isfinite(f.estimate)]
    for i, finding in enumerate(shown):
        ends = [end for end in finding.region if np.isfinite(end)]
        middle, scale = _scale(finding, ends)
        x, low, high = (
            (value - middle) / scale for value in (finding.estimate, finding.low, finding.high)
        )
        color = COLORS[finding.outcome]
        inner = [(end - middle) / scale for end in finding.region]
        axes.fill_betweenx(
            [i - 0.4, i + 0.4], *np.clip(inner, -9, 9), color=HUES[2].light, alpha=0.1
        )
        axes.plot([low, high], [i, i], color=color, lw=2, solid_capstyle="butt")
        axes.plot([x], [i], color=color, marker="o", ms=5)
    axes.set_yticks(range(len(shown)), [shorten_label(f.label, 40) for f in shown], fontsize=7)
    axes.set_ylim(max(len(shown), 1) - 0.5, -0.5)
    axes.set_xlim(-1.6, 1.6)
    axes.set_xticks([])
    axes.set_xlabel("shaded: where the claim holds; each row on a scale of its own", fontsize=7)
    axes.set_title("intervals, 95 % at once", loc="left", fontsize=9)
    sns.despine(ax=axes, left=True)


def _scale(finding: Finding, ends: Sequence[float]) -> tuple[float, float]:
    """The middle of a row, and how far its edges are from there."""
    middle = float(np.mean(ends)) if ends else 0.0
    known = [v for v in (finding.estimate, finding.low, finding.high, *ends) if np.isfinite(v)]
    far = max((abs(value - middle) for value in known), default=0.0)
    return middle, far or 1.0
