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

# Verbs and nouns that end as participles do, and adjectives.
NO_PARTICIPLES = """
accept attempt build child down embed even except feed field fold hidden hold intercept interrupt
known markdown need open own script seed speed threshold tilt token unknown world
"""
PARTICIPLE = re.compile(r"_*[a-z]+(ed|wn|ept|ilt|eld|old|tten|ken|ven|sen)")
QUESTION = re.compile(r"(What|How|Whether|Why|Which|Where|When|Who|Whose)\b")


def _bound(module: Any) -> Iterator[tuple[str, int]]:
    """The names of modules, classes, functions and parameters."""
    for part in module.path.removesuffix(".py").split("/"):
        yield part, 1
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, node.lineno
        elif isinstance(node, ast.arg) and node.arg != "field":  # of a dataclass
            yield node.arg, node.lineno


@pytest.mark.parametrize("word", BANNED)
def test_no_name_is_of_a_private_dialect(modules: Modules, word: str) -> None:
    found = [
        f"{module.path}:{line} {name}"
        for module in modules
        for name, line in _bound(module)
        if name.lower().strip("_") == word
    ]
    assert not found, "\n".join([f"say {BANNED[word]}:", *found])


def test_no_function_is_named_by_a_participle_alone(modules: Modules) -> None:
    found = [
        f"{module.path}:{node.lineno} {node.name}"
        for module in modules
        for node in module.functions()
        if PARTICIPLE.fullmatch(node.name)
        and node.name.strip("_") not in NO_PARTICIPLES.split()
        and not _is_property(node)
    ]
    assert not found, "\n".join(["name what it does, as check or join_tables:", *found])


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
    assert not found, "\n".join(["say what it is, in the imperative:", *found])
