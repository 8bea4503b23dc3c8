"""The pages of --help hold what their source holds, whatever draws them."""

from __future__ import annotations

import inspect
import os
import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import typer
import typer.core
import typer.rich_utils

from bench.cli import help_pages
from bench.cli import main as cli
from bench.cli.help_pages import Command, command_of, literal, pages
from bench.config.load import load_config
from bench.registry import load_registry
from bench.run.plan import make_plan

SOURCE = typer.main.get_command(cli.app)


def _paths(command: Command, *path: str) -> Iterator[tuple[str, ...]]:
    yield path
    for name, inner in getattr(command, "commands", {}).items():
        yield from _paths(inner, *path, name)


PATHS = tuple(_paths(SOURCE))


def _source(path: tuple[str, ...]) -> Command:
    command = SOURCE
    for name in path:
        command = command.commands[name]
    return command


@dataclass(frozen=True)
class PageOf:
    """The page of a command as it is printed at a width."""

    width: int
    capsys: pytest.CaptureFixture[str]

    def __call__(self, path: tuple[str, ...], app: typer.Typer = cli.app) -> str:
        command_of(app).main([*path, "--help"], "bench", standalone_mode=False)
        return re.sub(r"\x1b\[[0-9;]*m", "", self.capsys.readouterr().out)


@pytest.fixture(
    params=[(80, "rich"), (120, "rich"), (80, "plain"), (120, "plain"), (80, "terminal")], ids=str
)
def page_of(
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> PageOf:
    """Pages drawn by rich for a file or a terminal, and by click, at two widths."""
    width, drawn = request.param
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setattr(typer.rich_utils, "FORCE_TERMINAL", drawn == "terminal")
    for module in (typer.core, help_pages):
        monkeypatch.setattr(module, "HAS_RICH", drawn != "plain")
    return PageOf(width, capsys)


def _squeezed(text: str) -> str:
    """The text without blanks and frames: however it was wrapped."""
    return re.sub(r"[\s│╭╮╰╯─]", "", text)


def _blocks(text: str | None) -> Iterator[str]:
    if text:
        yield from re.split(r"\n\s*\n", inspect.cleandoc(text))


def _in_order(words: list[str], page: str) -> bool:
    """Whether the page has the words one after another; other columns may stand between them."""
    at = 0
    for word in words:
        at = page.find(_squeezed(word), at)
        if at < 0:
            return False
        at += len(_squeezed(word))
    return True


def _check_text(page: str, text: str | None, width: int) -> None:
    """The page has every block of the text: prose wrapped, examples line by line."""
    squeezed, shown = _squeezed(page), [line.rstrip() for line in page.splitlines()]
    for block in _blocks(text):
        assert _squeezed(block) in squeezed
        lines = block.splitlines()
        fitting = [line for line in lines if len(line) < width - 3]
        if all(line.startswith(" ") for line in lines) and len(fitting) == len(lines):
            first = next(i for i, line in enumerate(shown) if line.strip() == lines[0].strip())
            part = "\n".join(shown[first : first + len(lines)])
            assert textwrap.dedent(part) == textwrap.dedent(block)


def _check(page: str, command: Command, width: int) -> None:
    for text in (command.help, command.epilog):
        _check_text(page, text, width)
    squeezed = _squeezed(page)
    for parameter in command.params:
        option = [name for name in parameter.opts if name.startswith("--")]
        words = [*option, *(parameter.help or "").split()]
        assert _in_order(words, squeezed), parameter.name
    for name, inner in getattr(command, "commands", {}).items():
        assert _in_order([name, *next(_blocks(inner.help)).split()], squeezed), name


@pytest.mark.parametrize("path", PATHS, ids=lambda path: " ".join(path) or "bench")
def test_a_page_holds_what_its_source_holds(path: tuple[str, ...], page_of: PageOf) -> None:
    _check(page_of(path), _source(path), page_of.width)


def test_all_pages_are_looked_at() -> None:
    assert len(PATHS) == len(list(pages(SOURCE)))
    assert {("run",), ("plugins", "new"), ("models", "fetch"), ("baseline", "update")} <= set(PATHS)
    assert sum(bool(_source(path).epilog) for path in PATHS) > 10


TRICKY = (
    "a list: [karras]",
    "[bold]loud[/bold] and [/] and [red",
    "{name: dopri5, rtol: [1e-2, 1e-4]}",
    "models: [a, b]  # [comment]",
    "C:\\[x]\\",
    "fd_*:+2% <path> **not bold** `code` $x_1$",
)


@pytest.mark.parametrize("text", TRICKY)
def test_nothing_is_taken_for_markup(text: str, page_of: PageOf) -> None:
    app = typer.Typer()

    @app.command(epilog=f"\n    {text}\n      {text}\n\nProse {text}\nand more.\n\n    {text}")
    def tricky(option: str = typer.Option("", help=f"Of {text}")) -> None:
        """Placeholder."""

    tricky.__doc__ = f"Does {text}."
    _check(page_of((), app), typer.main.get_command(app), page_of.width)
    assert page_of((), app).count(text.split()[0]) >= 4


def test_prose_is_joined_and_examples_are_not() -> None:
    text = "\nOne\ntwo.\n\n    a: [b]\n      c\n"
    assert literal(text, rich=False) == "One two.\n\n\b\n    a: [b]\n      c"
    assert literal(text, rich=True) == "\nOne two.\n\n    a: \\[b]\n      c"


@pytest.mark.parametrize("rich", ["1", "0"])
def test_the_example_of_run_can_be_planned(rich: str, tmp_path: Path) -> None:
    environment = os.environ | {"TYPER_USE_RICH": rich, "COLUMNS": "80"}
    command = [str(Path(sys.executable).with_name("bench")), "run", "--help"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    page = done.stdout.splitlines()
    first = next(i for i, line in enumerate(page) if line.strip().startswith("defaults:"))
    last = next(i for i, line in enumerate(page) if line.strip().startswith("metrics:"))
    path = tmp_path / "example.yaml"
    path.write_text(textwrap.dedent("\n".join(page[first : last + 1])), encoding="utf-8")
    cells = make_plan(load_config(path), load_registry(), "cpu")
    assert len(cells) == 3 * 3
    assert {cell.protocol.samples for cell in cells} == {1000}
