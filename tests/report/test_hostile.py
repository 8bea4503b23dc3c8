"""Names of plugins can be anything: they do no harm in a page, a figure or a file name."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest

from bench.report import Report, summary_lines

ReportIn = Callable[[Path, pd.DataFrame], Report]


class Tags(HTMLParser):
    """The tags of a page as a browser reads them, and attributes that would run code."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.count: Counter[str] = Counter()
        self.handlers: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.count[tag] += 1
        self.handlers += [name for name, _ in attrs if name.startswith("on")]


Folders = pytest.TempPathFactory

SCRIPT = "<script>alert(1)</script>"
NAMES = (
    SCRIPT,
    '"><img src=x onerror=alert(1)>',
    "]]></style><svg onload=alert(1)>",
    "{{ 7 * 7 }}{% raw %}",
    "$\\frac{a$ and $",
    "_hidden",
    "名前 \x1b[31m\0",
    "long" * 200,
    'id="x" href="#y" url(#z) 1.23456789',
    "[bold]markup[/bold]",
)


@pytest.fixture(scope="module")
def hostile(results: pd.DataFrame) -> pd.DataFrame:
    """Results in which every name is hostile."""
    few = results[results["model"].eq("mnist_unet")].copy()
    names = dict(zip(few["sampler"].unique(), NAMES, strict=True))
    few["sampler"] = few["solver"] = few["sampler"].map(names)
    few["reason"] = few["reason"].where(few["reason"].eq(""), SCRIPT)
    few["metric"] = few["metric"].replace("fd_mnist", f"fd_{SCRIPT}")
    few["plugin_sources"] = f'{{"{SCRIPT}": "{SCRIPT}"}}'
    for column in ("suite", "model", "process", "run", "device", "unit"):
        few[column] = SCRIPT
    return few.assign(model_params=f'{{"a": "{SCRIPT}"}}', process_params=SCRIPT)


@pytest.fixture(scope="module")
def report(hostile: pd.DataFrame, report_in: ReportIn, tmp_path_factory: Folders) -> Report:
    """The report on them."""
    return report_in(tmp_path_factory.mktemp("hostile"), hostile)


def test_nothing_of_it_reaches_the_markup(report: Report) -> None:
    html = report.page.read_text(encoding="utf-8")
    assert html.count("<script") == 1
    script = html[html.index("<script>") : html.index("</script>")]
    assert "alert" not in script
    assert "<img" not in html
    tags = Tags(html)
    assert not tags.handlers
    assert tags.count["script"] == 1
    assert not {"img", "iframe", "object", "embed", "link", "base"} & set(tags.count)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert "{{ 7 * 7 }}" in html


def test_figures_stay_sound(report: Report) -> None:
    svgs = [path for path in report.figures if path.suffix == ".svg"]
    assert svgs
    for path in svgs:
        tags = {element.tag.split("}")[-1] for element in ElementTree.parse(path).iter()}
        assert "script" not in tags


def test_file_names_are_plain(report: Report) -> None:
    for path in (*report.figures, *report.tables):
        assert re.fullmatch(r"[a-z0-9.-]{1,90}", path.name)
        assert path.parent == report.page.parent


def test_names_in_figures_are_shown_as_they_are(report: Report) -> None:
    html = report.page.read_text(encoding="utf-8")
    assert 'id="x" href="#y" url(#z) 1.23456789' in html  # a figure's text keeps its digits
    assert "$\\frac{a$ and $" in html


def test_the_terminal_gets_no_control_characters(hostile: pd.DataFrame) -> None:
    assert all(line.isprintable() for line in summary_lines(hostile))
