"""Commands of other distributions: found by themselves; a broken one hurts no other."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

BENCH = str(Path(sys.executable).with_name("bench"))

GOOD = """
import typer
from bench.extend import Command, hookimpl

def greet(name: str = "you"):
    \"\"\"Say hello.\"\"\"
    print("hello", name)

group = typer.Typer(help="Do several things.")

@group.command()
def first():
    \"\"\"Do the first.\"\"\"
    print("first")

@group.command()
def second():
    \"\"\"Do the second.\"\"\"

@hookimpl
def bench_commands():
    epilog = "\\nTry:\\n\\n    bench greet [karras]"
    return [Command("greet", greet, epilog=epilog), Command("things", group)]
"""
BROKEN = "import nothing_of_this_name"
TAKEN = """
from bench.extend import Command, hookimpl

def run(name: str = "you"):
    \"\"\"Run instead.\"\"\"
    print("mine")

@hookimpl
def bench_commands():
    return [Command("run", run), Command("greet", run), Command("a b", run), Command("odd", 7), 3]
"""

Call = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def call(tmp_path: Path) -> Call:
    """The command line beside these distributions, by name of the module."""

    def run(modules: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
        for name, content in modules.items():
            (tmp_path / f"{name}.py").write_text(content, encoding="utf-8")
            folder = tmp_path / f"{name}-1.0.dist-info"
            folder.mkdir()
            (folder / "METADATA").write_text(f"Name: {name}\nVersion: 1.0\n", encoding="utf-8")
            points = f"[scorebench.commands]\n{name}_point = {name}\n"
            (folder / "entry_points.txt").write_text(points, encoding="utf-8")
        return subprocess.run(
            [BENCH, *arguments],
            env={"PYTHONPATH": str(tmp_path), "COLUMNS": "200", "NO_COLOR": "1"},
            capture_output=True,
            text=True,
            check=False,
            timeout=100,
        )

    return run


@pytest.mark.parametrize(
    ("arguments", "printed"),
    [
        (["greet", "--name", "me"], "hello me\n"),
        (["things", "first"], "first\n"),
        (["greet", "--help"], "    bench greet [karras]"),
        (["things", "--help"], "Do the second."),
        (["--help"], "Do several things."),
        (["--help"], "Say hello."),
    ],
)
def test_a_stranger_adds_commands(call: Call, arguments: list[str], printed: str) -> None:
    done = call({"good": GOOD}, *arguments)
    assert (done.returncode, done.stderr) == (0, "")
    assert printed in done.stdout


BROKEN_LINE = (
    "bench: command 'broken_point' of 'broken' is left out: ModuleNotFoundError: No module named "
    "'nothing_of_this_name'; mend or uninstall it\n"
)


@pytest.mark.parametrize("arguments", [["--help"], [], ["--unknown-option", "--help"]])
def test_a_broken_command_is_named_and_hurts_nobody(call: Call, arguments: list[str]) -> None:
    done = call({"good": GOOD, "broken": BROKEN}, *arguments)
    assert done.stderr.startswith(BROKEN_LINE)


def test_it_is_named_where_it_is_called(call: Call) -> None:
    done = call({"broken": BROKEN}, "my-command")
    assert done.returncode == 2
    assert done.stderr.startswith(BROKEN_LINE)
    assert "No such command 'my-command'" in done.stderr


@pytest.mark.parametrize("arguments", [["schema"], ["run", "--help"], ["greet"], ["--version"]])
def test_others_say_nothing_of_it(call: Call, arguments: list[str]) -> None:
    done = call({"good": GOOD, "broken": BROKEN}, *arguments)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_name_that_is_taken_is_refused_with_both_owners(call: Call) -> None:
    done = call({"good": GOOD, "taken": TAKEN}, "--help")
    assert "Run instead." not in done.stdout
    assert done.stderr.splitlines() == [
        f"bench: command 'taken_point' of 'taken' is left out: {reason}"
        for reason in (
            "the name 'run' is taken by 'scorebench'; rename it",
            "the name 'greet' is taken by 'good'; rename it",
            "'a b' cannot name a command; use a-z, 0-9 and '-'",
            "'odd': TypeError: 7 is not a callable object",
            "3 is no bench.extend.Command",
        )
    ]


def test_strangers_are_not_imported_for_a_command_of_the_host(call: Call) -> None:
    done = call({"loud": "raise SystemExit(print('imported'))"}, "schema")
    assert (done.returncode, done.stderr) == (0, "")
    assert "imported" not in done.stdout
