"""No text of a stranger's does more than be read: in terminals, Markdown, JUnit, LaTeX, pages."""

from __future__ import annotations

import io
import sys
import unicodedata
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import pytest
from rich.console import Console
from rich.table import Table

from bench.api import OdeSolver
from bench.cli import main as cli
from bench.cli.commands.plugins.listing import plugin_tables
from bench.compare.junit import _make_printable
from bench.core.errors import BenchError
from bench.printable import MOST, code, markdown, one_line, printable
from bench.registry import Broken, Entry, Kind, Registry, Source, load_registry
from bench.render import latex
from bench.results.schema import Status
from bench.results.store import Store
from bench.run.cell import Cell
from bench.run.machine import Machine
from bench.run.progress import cell_line
from bench.run.rows import failure
from bench.run.runner import Plan
from bench.run.summary import plan_table

HOSTILE = (
    "\x1b[31mred\x1b[0m",
    "\x1b]0;title\x07 \x1b]8;;http://x\x1b\\\\link",
    "\x9b2J c1 \x85 nel",
    "\u202eevil\u202c \u2066x\u2069 \u200f",
    "a\u2028b\u2029c",
    "nul \x00 bell \x07 back\x08 del \x7f",
    "lone \ud800 and \uffff",
    "\ufeffbom \U000e0041tag",
    "two\r\nlines",
    "[bold red]markup[/bold red] [/] [link=http://x]y[/link]",
    "| pipes | `code` <script>alert(1)</script> &amp; **b** [a](javascript:x) # !",
    "\\input{x} $a_1$ 100% {~^}",
)
KEPT = "Größe 名前 🎉 ñ σ_min → 10⁻⁶ العربية"


def _safe(text: str) -> bool:
    """Whether nothing in it is a control, turns writing, or is no character."""
    bad = {"Cc", "Cs", "Cf", "Zl", "Zp", "Cn"}
    return not any(unicodedata.category(c) in bad for c in text.replace("\n", "").replace("\t", ""))


def test_what_is_read_stays_and_what_is_obeyed_is_escaped() -> None:
    assert printable(KEPT + "\t\n") == KEPT + "\t\n"
    assert printable("a\x1b[31m\x85\u202e\ud800\U000e0041") == (
        "a\\x1b[31m\\x85\\u202e\\ud800\\ue0041"
    )
    for number in range(sys.maxunicode + 1):
        character = chr(number)
        category = unicodedata.category(character)
        if category in ("Cc", "Cs", "Zl", "Zp") and character not in "\t\n":
            assert _safe(printable(character)), hex(number)
        elif category[0] in "LNSP":
            assert printable(character) == character, hex(number)


@pytest.mark.parametrize("text", HOSTILE)
def test_it_is_safe_and_stays_so(text: str) -> None:
    assert _safe(printable(text))
    assert printable(printable(text)) == printable(text)
    printable(text).encode()
    assert one_line(text).isprintable()


def test_long_text_keeps_its_place_and_its_remedy() -> None:
    text = "f.yaml:3: suites.a: " + "x" * 10_000 + "\x1b" * 3000 + "; take another"
    line = one_line(text)
    assert len(line) == MOST < 1000
    assert line.startswith("f.yaml:3: suites.a: xxx")
    assert line.endswith("; take another")
    assert "[22034 characters]" in line
    assert one_line("x" * MOST) == "x" * MOST
    assert len(one_line("x" * 500, 100)) == 100


def _main_says(error: BenchError, monkeypatch: pytest.MonkeyPatch) -> None:
    def raising(_: object) -> Callable[[], None]:
        def command() -> None:
            raise error

        return command

    monkeypatch.setattr(cli, "command_of", raising)
    with pytest.raises(SystemExit) as stop:
        cli.main()
    assert stop.value.code == 2


@pytest.mark.parametrize("text", [*HOSTILE, "x" * 50_000])
def test_a_message_is_one_short_line(
    text: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _main_says(BenchError(f"f.yaml:1: {text}; mend it"), monkeypatch)
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("bench: f.yaml:1: ")
    assert err.endswith("; mend it\n")
    assert len(err) < 1000
    assert err[:-1].isprintable()


def _drawn(*items: object) -> str:
    """As a terminal would get it, without colours: all that is left to obey is a stranger's."""
    sink = io.StringIO()
    console = Console(file=sink, force_terminal=True, color_system=None, width=3000)
    for item in items:
        console.print(item, soft_wrap=not isinstance(item, Table))
    return sink.getvalue()


@pytest.fixture(scope="module")
def cell(tmp_path_factory: pytest.TempPathFactory) -> Cell:
    """Any cell."""
    from bench.config.load import load_config
    from bench.run.plan import make_plan

    path = tmp_path_factory.mktemp("plan") / "f.yaml"
    path.write_text(
        "suites: {a: {models: [gaussian_mixture], solvers: [ddim], nfe: [5], metrics: [rmse]}}",
        encoding="utf-8",
    )
    return make_plan(load_config(path), load_registry(), "cpu")[0]


@pytest.mark.parametrize("text", HOSTILE)
def test_the_plan_and_the_progress_show_names_as_they_are(text: str, cell: Cell) -> None:
    evil = replace(cell, suite=text, model=replace(cell.model, name=text))
    result = failure(evil, Machine("cpu", 1, 1), Status.FAILED, f"why {text}", "now")
    assert {row["reason"] for row in result.rows} == {one_line(f"why {text}")}
    plan = Plan("p", Store(Path(f"/r/{text}")), "cpu", (evil,), (evil,), (evil,))
    shown = _drawn(plan_table(plan), cell_line(evil, result))
    assert _safe(shown)
    assert shown.count(one_line(text)) >= 3


def test_the_reasons_of_rows_are_short(cell: Cell) -> None:
    result = failure(cell, Machine("cpu", 1, 1), Status.FAILED, "x" * 100_000, "now")
    assert len(result.reason) == MOST


@dataclass(frozen=True)
class Evil(OdeSolver[None]):
    """A solver whose paper is hostile."""

    name: ClassVar[str] = "evil"
    reference: ClassVar[str] = " ".join(HOSTILE)
    order: ClassVar[int] = 1

    label: str = HOSTILE[0]


def test_the_list_of_plugins_shows_text_as_it_is() -> None:
    source = Source("evil", "1", "evil", "0")
    entry = Entry(Kind.ODE_SOLVER, Evil, source)
    registry = Registry((entry,), (Broken("e", "evil", "1", "why " + " ".join(HOSTILE)),))
    shown = _drawn(*plugin_tables(registry, (Kind.ODE_SOLVER,)))
    assert _safe(shown)
    for text in HOSTILE:
        assert "".join(one_line(text).split()) in "".join(shown.split())


def test_a_plugin_whose_name_cannot_be_printed_is_broken() -> None:
    from bench.registry.classes import class_fault

    for name in ("\x1b[31m", "", " ", "a\nb", "\u202ea"):
        fault = class_fault(Kind.ODE_SOLVER, type("Evil2", (Evil,), {"name": name}))
        assert "must be of characters that can be printed" in fault


@pytest.mark.parametrize("text", HOSTILE)
def test_markdown_takes_it_for_text(text: str) -> None:
    escaped = markdown(text)
    assert _safe(escaped)
    assert "\n" not in escaped
    bare = escaped
    for character in "\\|`*_[]#~!@":
        bare = bare.replace(f"\\{character}", "")
    assert not set("|`*_[]#~!@<>") & set(bare.replace("&lt;", "").replace("&gt;", ""))
    assert not set("`\n") & set(code(text))
    assert _safe(code(text))


@pytest.mark.parametrize("text", HOSTILE)
def test_xml_can_be_parsed(text: str) -> None:
    root = ElementTree.Element("a", name=text)
    ElementTree.SubElement(root, "b", message=text).text = text
    _make_printable(root)
    found = ElementTree.fromstring(ElementTree.tostring(root))
    assert found[0].text is not None
    assert _safe(found[0].text + found.attrib["name"] + found[0].attrib["message"])


@pytest.mark.parametrize("text", HOSTILE)
def test_latex_runs_no_command_of_it(text: str) -> None:
    escaped = latex.escape(text)
    assert _safe(escaped)
    for command in latex._SPECIAL.values():
        escaped = escaped.replace(command, "")
    assert not set("\\{}$&#%_^~") & set(escaped)


def test_the_page_shows_it(monkeypatch: pytest.MonkeyPatch) -> None:
    from markupsafe import Markup

    from bench.report.page import _environment

    template = _environment().from_string('<p title="{{ text }}">{{ text }}</p>{{ own }}')
    for text in HOSTILE:
        html: Any = template.render(text=text, own=Markup("<b>x</b>"))
        assert _safe(html)
        assert html.endswith("</p><b>x</b>")
        assert html.count("<") == 4
