"""Checks of every kind of plugin: its papers and its parameters."""

from __future__ import annotations

import dataclasses
import inspect
import re
import typing
from collections.abc import Iterator
from types import UnionType
from typing import get_origin

from bench.core.errors import BenchError
from bench.core.plugin import Plugin, file_parameters
from bench.registry import build, parameters
from bench.testing.conformance.finding import Nonconformity, NotApplicable, demand


def defaults(cls: type[Plugin]) -> Plugin:
    """The plugin with its default parameters.

    Raises:
        NotApplicable: a parameter has no default.
    """
    for item in parameters(cls):
        if item.default is dataclasses.MISSING and item.default_factory is dataclasses.MISSING:
            raise NotApplicable(f"parameter '{item.name}' has no default to try it with")
    return build(cls, {})


def documentation_is_complete(cls: type[Plugin]) -> None:
    """A reference, a docstring of its own, and every parameter explained."""
    demand(
        bool(cls.reference.strip()),
        "`reference` names the paper",
        "an empty string",
        'set reference = "Authors year, arXiv:NUMBER, Algorithm N"',
    )
    doc = cls.__dict__.get("__doc__") or ""
    # Without a docstring, a dataclass gets its own signature as one.
    demand(
        bool(doc.strip()) and not doc.startswith(f"{cls.__name__}("),
        "a docstring that says what it computes",
        "none",
        f"write one under `class {cls.__name__}`",
    )
    text = " ".join(base.__doc__ or "" for base in cls.__mro__)
    missing = [
        item.name for item in parameters(cls) if not re.search(rf"\b{re.escape(item.name)}\b", text)
    ]
    demand(
        not missing,
        "the docstring explains every parameter",
        f"nothing about {', '.join(missing)}",
        "add an `Attributes:` section with name, meaning, unit and range",
    )


# Values at which careless checks divide by zero, overflow or loop.
_EXTREMES: dict[type, tuple[object, ...]] = {
    int: (-1, 0, 1, 10**9),
    float: (-1.0, 0.0, 1e-30, 1.0, 1e30),
}


def parameters_validate(cls: type[Plugin]) -> None:
    """Bad parameters are refused with a message, never with another exception; files are named so.

    What is in a file decides numbers, and where it lies does not: the host has to know which
    parameters name files.
    """
    defaults(cls)
    unmarked = sorted(_unmarked_files(cls))
    demand(
        not unmarked,
        "parameters that name files are of the type `bench.api.FilePath`",
        f"{', '.join(unmarked)} of type str",
        f"write `{''.join(unmarked[:1])}: FilePath`, so that results know the file by its content",
    )
    for item in parameters(cls):
        for value in _extremes(item.default):
            try:
                build(cls, {item.name: value})
            except BenchError:
                continue
            except Exception as error:
                raise Nonconformity(
                    "a bad parameter is refused with ValueError",
                    f"{item.name} = {value!r} raises {type(error).__name__}: {error}",
                    "check the range in __post_init__ with `bench.api.require(condition, message)`",
                ) from None
    if inspect.isabstract(cls):  # pragma: no cover - the registry refuses it before
        raise Nonconformity("a class that can be built", "an abstract one", "implement the rest")


_FILE_NAMES = re.compile(
    r"(.*_)?(path|file|folder|dir|directory|weights|checkpoint|config|recipe|held_out)"
)


def _unmarked_files(cls: type[Plugin]) -> Iterator[str]:
    """Parameters that are called as files are, and take any text."""
    marked, hints = file_parameters(cls), typing.get_type_hints(cls)
    for item in parameters(cls):
        hint = hints.get(item.name)
        plain = hint is str or (str in typing.get_args(hint) and get_origin(hint) is UnionType)
        if plain and item.name not in marked and _FILE_NAMES.fullmatch(item.name):
            yield item.name


def _extremes(default: object) -> tuple[object, ...]:
    return _EXTREMES.get(type(default), ())
