"""Names and docstrings in the terms of the field and of Python."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Any

import pytest

Modules = tuple[Any, ...]

# Words of a private dialect, with what to say instead.
BANNED = {
    "alone": "per_sample, or what it is",
    "asked": "requested, or what it is",
    "crew": "WorkerOptions",
    "field": "vector_field or axis: a field of what?",
    "looks": "styles",
    "lost": "missing",
    "narrow": "select",
    "own_steps": "steps",
    "sides": "base and head",
    "standing": "aggregates",
    "supplies": "required_files",
    "told": "messages",
    "words": "formatting",
}

# An adjective, a noun, or a function that is one in mathematics.
NO_PARTICIPLES = frozenset(
    "embed feed need seed speed need accept attempt except script build child field world fold hold "
    "threshold down unknown known own open between even seven then often token given "
    "haven golden broken hidden "  # adjectives
    "batched compressed converged denoised damaged delayed expected fixed pinned published "
    "quantized scaled shared unpinned".split()
)
PARTICIPLE = re.compile(r"_*[a-z]+(ed|wn|ept|ilt|eld|old|tten|ken|ven|sen)")
QUESTION = re.compile(r"(What|How|Whether|Why|Which|Where|When|Who|Whose)\b")


def _bound(module: Any) -> Iterator[tuple[str, int]]:
    """The names of modules, classes, functions and parameters."""
    for part in module.path.removesuffix(".py").split("/"):
        yield part, 1
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, node.lineno
        elif isinstance(node, ast.arg):
            yield node.arg, node.lineno


@pytest.mark.parametrize("word", BANNED)
def test_no_name_is_of_a_private_dialect(modules: Modules, word: str) -> None:
    found = [
        f"{module.path}:{line} {name}"
        for module in modules
        for name, line in _bound(module)
        if name.lower().strip("_") == word
    ]
    assert not found, f"say {BANNED[word]}"


def test_no_function_is_named_by_a_participle_alone(modules: Modules) -> None:
    found = [
        f"{module.path}:{node.lineno} {node.name}"
        for module in modules
        for node in module.functions()
        if PARTICIPLE.fullmatch(node.name)
        and node.name.strip("_") not in NO_PARTICIPLES
        and not _is_property(node)
    ]
    assert not found, "name what it does: check, join_tables"


def _is_property(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Properties are read, so that an adjective is their name."""
    names = {ast.unparse(decorator) for decorator in node.decorator_list}
    return bool(names & {"property", "cached_property", "functools.cached_property"})


def test_docstrings_are_no_questions(modules: Modules) -> None:
    found = []
    for module in modules:
        owners = (module.tree, *module.classes(), *module.functions())
        for node in owners:
            text = ast.get_docstring(node) or ""
            if QUESTION.match(text):
                found.append(f"{module.path}:{getattr(node, 'lineno', 1)} {text[:40]}")
    assert not found
