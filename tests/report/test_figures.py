"""Figures of strangers: drawn on the page as the report's own are, and harmless where they fail."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from bench.extend import (
    Canvas,
    Figure,
    RunData,
    RunFigure,
    SubjectData,
    SubjectFigure,
    View,
    hookimpl,
)
from bench.extensions import find
from bench.report import Report, write_report
from bench.report import figures as built_in
from bench.report.plan import load_figures

ReportOn = Callable[[pd.DataFrame], Report]


class Point:
    """An entry point of a package."""

    def __init__(self, name: str, module: object) -> None:
        self.name, self.module = name, module
        self.dist = SimpleNamespace(name=f"{name}-package")

    def load(self) -> object:
        if isinstance(self.module, Exception):
            raise self.module
        return self.module


def package(*figures: object) -> SimpleNamespace:
    """A module with the hook."""

    @hookimpl
    def bench_figures() -> tuple[object, ...]:
        return figures

    return SimpleNamespace(bench_figures=bench_figures)


Installed = Callable[..., None]


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Installed:
    """Installs packages beside the report's own figures."""

    def install(**modules: object) -> None:
        points = [Point(name, module) for name, module in {"bench": built_in, **modules}.items()]
        monkeypatch.setattr(find.metadata, "entry_points", lambda group: points)

    return install


def draw_costs(points: pd.DataFrame, canvas: Canvas) -> str:
    axes = canvas.open(4.0, 3.0, map(str, points["curve"])).add_subplot()
    for curve, part in points.groupby("curve"):
        canvas.curve(axes, str(curve), part, "nfe")
    return "Drawn by <a> stranger."


def views(subject: SubjectData) -> Iterator[View]:
    yield View(partial(draw_costs, subject.points))


def views_of_run(run: RunData) -> Iterator[View]:
    yield View(partial(draw_costs, run.points), section="A section of mine")
    yield View(partial(draw_costs, run.points), suffix="again", section="A section of mine")


def failing(subject: SubjectData) -> Iterator[View]:
    raise ValueError("no luck\nat all")


def draw_nothing(canvas: Canvas) -> str:
    raise OSError("no such colour")


OWN = SubjectFigure(name="mine", title="My <figure>", rank=5, views=views)
OF_RUN = RunFigure(name="whole", title="Whole", rank=70, views=views_of_run)


def few(results: pd.DataFrame) -> pd.DataFrame:
    return results[results["metric"].eq("fd_mnist") & results["sampler"].isin(["ddim", "heun"])]


def test_a_strangers_figure_stands_on_the_page(
    installed: Installed, results: pd.DataFrame, report_on: ReportOn
) -> None:
    installed(mine=package(OWN, OF_RUN))
    found = report_on(few(results))
    names = {path.stem for path in found.figures}
    assert {"mine-01-images-mnist-unet-vp", "whole", "whole-again"} <= names
    html = found.page.read_text(encoding="utf-8")
    assert "My &lt;figure&gt;. images: mnist_unet, vp" in html
    assert "Drawn by &lt;a&gt; stranger." in html
    assert html.index("nfe-01-") < html.index("mine-01-") < html.index("pareto-01-")
    assert html.count('<h2 id="section-whole">A section of mine</h2>') == 1
    assert not found.damaged


def test_figures_of_many_are_drawn_wherever_they_may_be(
    installed: Installed, run: Path, report: Report, tmp_path: Path
) -> None:
    def local(subject: SubjectData) -> Iterator[View]:
        yield View(lambda canvas: draw_costs(subject.points, canvas))  # leaves no process

    mine = SubjectFigure(name="mine", title="Mine", rank=5, views=local)
    installed(mine=package(mine))
    found = write_report(run, tmp_path)
    assert not found.damaged
    assert len(found.figures) > len(report.figures)
    assert sum(path.suffix == ".svg" and "mine-" in path.name for path in found.figures) == 3


@pytest.mark.parametrize(
    ("module", "reason"),
    [
        (ImportError("No module named 'lost'"), "figures 'mine' of 'mine-package' (ImportError"),
        (package("not a figure"), "is no SubjectFigure and no RunFigure"),
        (package(Figure(name="x", title="X", rank=1)), "is no SubjectFigure and no RunFigure"),
        (
            package(SubjectFigure(name="nfe", title="X", rank=1, views=views)),
            "figure 'nfe' of 'bench-package' has this name",
        ),
        (
            package(SubjectFigure(name="../x", title="X", rank=1, views=views)),
            "its name is not of a-z, 0-9 and hyphens",
        ),
        (
            package(SubjectFigure(name="x", title="X", rank=1, views=failing)),
            "figure 'x' of 'mine-package' (ValueError: no luck at all)",
        ),
        (
            package(
                SubjectFigure(name="x", title="X", rank=1, views=lambda _: [View(draw_nothing)])
            ),
            "figure 'x' of 'mine-package' (OSError: no such colour)",
        ),
        (
            package(
                SubjectFigure(name="x", title="X", rank=1, views=lambda _: [View(draw_nothing)] * 2)
            ),
            "suffixes of views must be distinct",
        ),
    ],
)
def test_a_broken_figure_is_named_and_left_out(
    module: object,
    reason: str,
    installed: Installed,
    results: pd.DataFrame,
    report_on: ReportOn,
) -> None:
    installed(mine=module)
    found = report_on(few(results))
    (line,) = found.damaged
    assert reason in line
    assert {path.name.split("-")[0] for path in found.figures} == {"nfe", "pareto", "wall"}
    assert "Figures left out" in found.page.read_text(encoding="utf-8")


def test_the_reports_own_figures_come_through_the_hook() -> None:
    found, faults = load_figures()
    names = [owned.figure.name for owned in found]
    others = {"answers", "claims", "gradients", "posteriors"}
    assert others <= set(names)
    assert [name for name in names if name not in others] == [
        "nfe",
        "over-all-models",
        "pareto",
        "wall",
        "order",
        "heat",
        "paths",
        "samples",
    ]
    assert not faults
