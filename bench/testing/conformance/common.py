"""Checks of every kind of plugin: its papers and its parameters."""

from __future__ import annotations

import dataclasses
import inspect
import re

from bench.core.errors import BenchError
from bench.core.plugin import Plugin
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


def documented(cls: type[Plugin]) -> None:
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
    """Bad parameters are refused with a message, never with another exception."""
    defaults(cls)
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


def _extremes(default: object) -> tuple[object, ...]:
    return _EXTREMES.get(type(default), ())
