"""A YAML file with the line of everything in it, so that an error can name its place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError

from bench.core.errors import BenchError

KeyPath = tuple[str | int, ...]
"""Keys and indices from the top of a document to a value."""

OWN = "x-"
"""Prefix of the user's own keys, as in compose files; they stand at the top alone."""

_MAX_BYTES = 1_000_000
_MAX_NODES = 100_000  # aliases of aliases grow exponentially


@dataclass(frozen=True)
class Document:
    """The content of one YAML file.

    Attributes:
        path: the file as the user named it.
        data: its top mapping, in plain Python types.
        lines: line (from 1) of each key and item, by its path.
    """

    path: Path
    data: Mapping[str, Any]
    lines: Mapping[KeyPath, int]

    @property
    def content(self) -> dict[str, Any]:
        """The data without top-level ``x-...`` keys, the place for anchors: nothing reads those."""
        return {k: value for k, value in self.data.items() if not k.startswith(OWN)}

    def error(self, place: KeyPath, message: str) -> BenchError:
        """An error at ``place``: "benchmarks.yaml:12: suites.a.solvers[2].rho: message"."""
        line = next(
            (self.lines[place[:n]] for n in range(len(place), 0, -1) if place[:n] in self.lines), 1
        )
        where = f"{dotted_path(place)}: " if place else ""
        # One line, whatever control characters a key or a name holds.
        return BenchError(f"{self.path}:{line}: {' '.join(f'{where}{message}'.split())}")


def dotted_path(place: KeyPath) -> str:
    """suites.a.solvers[2].rho"""
    text = ""
    for part in place:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def read_document(path: Path) -> Document:
    """Read a YAML 1.2 file whose top is a mapping.

    Raises:
        BenchError: it is missing, not text, too large, not YAML, empty, or not a mapping.
    """
    tree = _parse(path, _text(path))
    if tree is None:
        raise BenchError(f"{path}: is empty; see `bench run --help` for an example")
    if not isinstance(tree, CommentedMap):
        raise BenchError(
            f"{path}:1: must be a mapping with `suites:`, not a {_kind(tree)}; "
            "see `bench run --help` for an example"
        )
    reader = _Reader(path)
    return Document(path, reader.plain(tree, ()), reader.lines)


def _text(path: Path) -> str:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise BenchError(f"{path}: there is no such file; check the path") from None
    except IsADirectoryError:
        raise BenchError(f"{path}: is a folder; name a YAML file in it") from None
    except OSError as error:
        raise BenchError(f"{path}: cannot be read ({error.strerror})") from None
    if len(content) > _MAX_BYTES:
        raise BenchError(f"{path}: has {len(content)} bytes, more than {_MAX_BYTES}; split it")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BenchError(
            f"{path}: is not UTF-8 text (byte {error.start}); is it a YAML file?"
        ) from None


def _parse(path: Path, text: str) -> Any:
    try:
        return YAML(typ="rt").load(text)
    except DuplicateKeyError as error:
        key = str(error.problem).partition('"')[2].partition('"')[0]
        raise BenchError(
            f"{path}:{_line(error)}: key '{key}' stands there twice; remove one"
        ) from None
    except MarkedYAMLError as error:
        problem = " ".join(str(error.problem or "").split())
        raise BenchError(f"{path}:{_line(error)}: is not valid YAML: {problem}") from None
    except Exception as error:  # ruamel.yaml leaves some malformed input to Python's own errors
        reason = " ".join(str(error).split()) or type(error).__name__
        raise BenchError(f"{path}: is not valid YAML: {reason}") from None


def _line(error: MarkedYAMLError) -> int:
    return error.problem_mark.line + 1 if error.problem_mark else 1


@dataclass
class _Reader:
    """Makes plain Python values of ruamel's, and keeps the line of each."""

    path: Path
    lines: dict[KeyPath, int] = field(default_factory=dict)
    count: int = 0

    def plain(self, node: Any, place: KeyPath) -> Any:
        self.count += 1
        if self.count > _MAX_NODES:
            raise BenchError(f"{self.path}: has more than {_MAX_NODES} values; split it")
        if len(place) > 50:
            raise BenchError(
                f"{self.path}: is nested more than 50 levels deep (an alias of itself?)"
            )
        if isinstance(node, CommentedMap):
            return {
                name: self._child(value, (*place, name), _line_of(node, key))
                for key, value in node.items()
                for name in [self._key(key, place)]
            }
        if isinstance(node, CommentedSeq):
            return [
                self._child(value, (*place, i), _line_of(node, i)) for i, value in enumerate(node)
            ]
        return self._scalar(node, place)

    def _child(self, node: Any, place: KeyPath, line: int) -> Any:
        self.lines[place] = line
        return self.plain(node, place)

    def _key(self, key: Any, place: KeyPath) -> str:
        if not isinstance(key, str):
            raise self._error(place, f"key {key!r} must be a string; put it in quotes")
        return str(key)

    def _scalar(self, node: Any, place: KeyPath) -> Any:
        # ruamel's scalars are subclasses that remember their spelling; bool before int.
        if node is None or isinstance(node, bool):
            return node
        for kind in (int, float, str):
            if isinstance(node, kind):
                return kind(node)
        raise self._error(
            place,
            f"a {_kind(node)} is not allowed; use numbers, strings, true, false, lists and "
            "mappings",
        )

    def _error(self, place: KeyPath, message: str) -> BenchError:
        where = dotted_path(place) or "the top"
        return BenchError(f"{self.path}:{self.lines.get(place, 1)}: {where}: {message}")


def _line_of(node: CommentedMap | CommentedSeq, key: str | int) -> int:
    """Line of a key or item; that of the collection for keys merged from elsewhere (<<)."""
    known = node.lc.data or {}
    return int(known[key][0] if key in known else node.lc.line or 0) + 1


def _kind(node: Any) -> str:
    if isinstance(node, CommentedSeq):
        return "list"
    if isinstance(node, str):
        return "string"
    return type(node).__name__.lower()
