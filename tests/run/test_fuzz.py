"""Mutated files: whatever becomes of a file, the user reads one short line, and nothing runs."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from importlib.resources import files
from pathlib import Path

import pytest

from bench.cli import main as cli
from bench.cli.help_pages import command_of

SEED, MAX_CELLS = 20261130, 500

ODD = (
    "\x1b[31m",
    "\x1b]0;title\x07",
    "\\x1b[2J",
    "\x9b31m",
    "\u202e",
    "\u2028",
    "\ufeff",
    "\x85",
    "\x00",
    "\ud800",
    '"\\e[31m\\N\\_\\L\\P"',
    '"\\u202e\\u2066\\ud800"',
    "[bold red]x[/]",
    "!!python/object/apply:os.system ['touch pwned']",
    "!!python/name:os.system",
    "!!binary aGVsbG8=",
    "!!set {a, b}",
    "&a [*a]",
    "*a",
    "<<: *a",
    "? [a, b]\n: c",
    "{a: {b: {c: [[[[]]]]}}}",
    "1e999",
    ".nan",
    "-.inf",
    "0x1F",
    "0b11",
    "2020-01-01T00:00:00Z",
    "9" * 400,
    "x" * 4000,
    "'" + "ä\u0301" * 700 + "'",
    "[" * 60,
    "\t",
    "---\n",
    "...\n",
    "%YAML 1.1\n",
    "\r",
    "null",
    "~",
    "''",
    "true",
    "-1",
    "[[1, 2], [3]]",
    "{name: dopri5, rtol: 1}",
    "{name: [a]}",
    "'../../../etc/passwd'",
    "published:nothing",
    "hub:a/b",
)
"""What is put into files: characters that terminals obey, tags that would run code, odd values."""


def _sources() -> list[str]:
    shipped = (files("bench.config.suites") / "quick.yaml").read_text(encoding="utf-8")
    own = """\
x-few: &few {models: [gaussian_mixture, digits_mlp], samples: 100, metrics: [rmse, swd]}
name: fuzz
defaults: {processes: [vp, {name: ve, sigma_max: 40.0}], grids: [karras], shard: 32}
suites:
  a: {<<: *few, solvers: [ddim, {name: dopri5, rtol: [1.0e-2, 1.0e-3]}], nfe: [5, 10]}
  b:
    models: [{name: gaussian_mixture, stds: [0.1, 0.2], weights: null, means: [[0.0], [1.0]]}]
    solvers:
      - {name: ancestral, corrector: [null, {name: langevin, snr: [0.1, 0.2]}], grids: [quadratic]}
    nfe: [6]
    seeds: [0, 1, 2]
    metrics: [{name: rmse, samples: 16}]
    timeout: 60
"""
    return [own, own, shipped]


def _line(text: str, pick: random.Random) -> str:
    lines = text.splitlines(keepends=True)
    at = pick.randrange(len(lines))
    kind = pick.randrange(4)
    if kind == 0:
        del lines[at]
    elif kind == 1:
        lines.insert(at, lines[pick.randrange(len(lines))])
    elif kind == 2:
        lines[at] = pick.choice(("  ", " ", "\t", "- ")) + lines[at]
    else:
        lines[at] = lines[at].lstrip()
    return "".join(lines)


def _word(text: str, pick: random.Random) -> str:
    """One word, number or bracket becomes something odd, or another of the file's."""
    words = list(re.finditer(r"[\w.+-]+|[\[\]{},:]", text))
    word = pick.choice(words)
    new = pick.choice(ODD) if pick.random() < 0.6 else pick.choice(words)[0]
    return text[: word.start()] + new + text[word.end() :]


def _list(text: str, pick: random.Random) -> str:
    """A number becomes a list of hundreds."""
    numbers = list(re.finditer(r"\b\d+(\.\d+)?(e-?\d+)?\b", text))
    number = pick.choice(numbers)
    count = pick.choice((2, 30, 300, 900))
    step = "0.001" if "." in number[0] else "1"
    many = ", ".join(f"{float(number[0]) + i * float(step):.6g}" for i in range(count))
    inside = pick.random() < 0.5
    return text[: number.start()] + (many if inside else f"[{many}]") + text[number.end() :]


def _character(text: str, pick: random.Random) -> str:
    at = pick.randrange(len(text))
    new = pick.choice((*"[]{},:&*!|>'\"%@`#-?~\\ \n", *ODD[:10], chr(pick.randrange(1, 0x3000))))
    return text[:at] + new + text[at + pick.randrange(2) :]


def mutated(count: int, part: int = 0) -> Iterator[bytes]:
    """So many mutants of valid files, the same ones each time; other ones for each part."""
    pick, sources = random.Random(SEED + part), _sources()
    kinds = (_line, _word, _word, _word, _list, _list, _character)
    for _ in range(count):
        text = pick.choice(sources)
        for _ in range(pick.choice((1, 1, 2, 4))):
            text = pick.choice(kinds)(text, pick) or " "
        yield text.encode("utf-8", "surrogatepass")


def _check_all(
    contents: Sequence[bytes],
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> tuple[int, int]:
    """Plan each file as a user does; how many were refused, and how many for their cells."""
    monkeypatch.chdir(folder)
    command = command_of(cli.app)  # once: it takes as long as the rest
    monkeypatch.setattr(cli, "command_of", lambda _: command)
    refused = too_many = 0
    for i, content in enumerate(contents):
        Path("f.yaml").write_bytes(content)
        options = ["--dry-run", "--max-cells", str(MAX_CELLS)]
        monkeypatch.setattr("sys.argv", ["bench", "run", "f.yaml", *options])
        with pytest.raises(SystemExit) as stop:
            cli.main()
        out, err = capsys.readouterr()
        assert stop.value.code in (0, 2), i
        if stop.value.code:
            refused += 1
            too_many += "--max-cells" in err
            assert out == "", i
            assert re.fullmatch(r"bench: f\.yaml:.+\n", err), (i, err)
            assert len(err) < 1000, i
        assert all(line.isprintable() for line in (out + err).splitlines()), (i, out + err)
        assert [item.name for item in folder.iterdir()] == ["f.yaml"], i
    return refused, too_many


def test_a_mutated_file_is_planned_or_refused_in_one_short_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    refused, too_many = _check_all(list(mutated(80)), tmp_path, monkeypatch, capsys)
    assert 30 < refused < 78
    assert too_many


@pytest.mark.slow
@pytest.mark.parametrize("part", range(1, 14))
def test_2600_mutated_files(
    part: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    refused, too_many = _check_all(list(mutated(200, part)), tmp_path, monkeypatch, capsys)
    assert 60 < refused < 199
    assert too_many
