"""Checks the classes that hooks list."""

from __future__ import annotations

from bench.core.errors import BenchError
from bench.core.solver import Stepper
from bench.registry.entries import Kind


def kind_of(cls: object) -> Kind:
    """The kind of a plugin class by its contract.

    Raises:
        BenchError: it has none.
    """
    for kind in Kind:
        if isinstance(cls, type) and issubclass(cls, kind.base):
            return kind
    raise BenchError(f"{cls!r} is a subclass of no contract in bench.api")


def class_fault(kind: Kind, cls: object) -> str:
    """The reason why ``cls`` is no plugin of ``kind``; "" if it is one."""
    if not (isinstance(cls, type) and issubclass(cls, kind.base)):
        return f"{cls!r} is not a subclass of bench.api.{kind.base.__name__}"
    for attribute in ("name", "reference"):
        if not isinstance(getattr(cls, attribute, None), str):
            return f"{cls.__name__}: class attribute '{attribute}' must be a string"
    if not cls.name.strip() or not cls.name.isprintable():
        return f"{cls.__name__}: its name {cls.name!r} must be of characters that can be printed"
    # Of this very class: an undecorated subclass would silently have its parent's parameters.
    settings = cls.__dict__.get("__dataclass_params__")
    if settings is None or not settings.frozen:
        return f"{cls.__name__}: must be decorated with @dataclass(frozen=True)"
    missing = sorted(getattr(cls, "__abstractmethods__", ()))
    if missing:
        return f"{cls.__name__}: does not implement {', '.join(missing)}"
    if issubclass(cls, Stepper) and not isinstance(getattr(cls, "order", None), int | property):
        return f"{cls.__name__}: 'order' must be an integer, or a property that gives one"
    return ""
