"""Builds plugins from the parameters of a YAML file, strictly."""

from __future__ import annotations

import dataclasses
import difflib
import json
import math
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, TypeVar, cast

from pydantic import TypeAdapter, ValidationError

from bench.core.errors import BenchError
from bench.core.plugin import Plugin

P = TypeVar("P", bound=Plugin)


class ParameterError(BenchError):
    """A parameter that a plugin does not take. ``key`` is its place below the plugin."""

    def __init__(self, key: str, message: str) -> None:
        super().__init__(f"{key}: {message}" if key else message)
        self.key = key
        self.message = message


def parameters(cls: type[Plugin]) -> tuple[dataclasses.Field[Any], ...]:
    """The YAML parameters of a plugin class."""
    return dataclasses.fields(cast(Any, cls))


def build(cls: type[P], params: Mapping[str, object]) -> P:
    """An instance of ``cls`` with strictly checked parameters.

    Raises:
        ParameterError: an unknown key, a wrong type or a value out of range.
    """
    defaults = {f.name: f.default for f in parameters(cls)}
    unknown = sorted(set(params) - set(defaults))
    if unknown:
        raise ParameterError(unknown[0], _unknown_key(unknown[0], cls))
    for key, value in params.items():
        # A default may be infinite (no upper limit, say); nothing else may, and nothing be nan.
        if value != defaults[key] and not _finite(value):
            raise ParameterError(key, f"must be finite, not {value!r}")
    try:
        # JSON mode: strict about types, yet a YAML list may become a tuple.
        plugin: P = _adapter(cast(Any, cls)).validate_json(json.dumps(dict(params)))
        return plugin
    except ValidationError as error:
        raise _parameter_error(error) from None
    except (TypeError, ValueError) as error:
        raise ParameterError("", f"{error}; use numbers, strings, lists and mappings") from None


@lru_cache(maxsize=64)
def _adapter(cls: type[Plugin]) -> TypeAdapter[Any]:
    return TypeAdapter(cls)  # some milliseconds each, and a list of parameters builds hundreds


def _finite(value: object) -> bool:
    if isinstance(value, list | tuple):
        return all(map(_finite, value))
    return not isinstance(value, float) or math.isfinite(value)


def _unknown_key(key: str, cls: type[Plugin]) -> str:
    names = [f.name for f in parameters(cls)]
    close = difflib.get_close_matches(key, names, n=1)
    if close:
        return f"unknown key '{key}'; did you mean '{close[0]}'?"
    takes = f"takes {', '.join(names)}" if names else "takes no parameters"
    return f"unknown key '{key}'; {cls.name} {takes}"


def _parameter_error(error: ValidationError) -> ParameterError:
    """The first value of a wrong type, with all types that a union accepts."""
    first, *others = error.errors()
    place, given = first["loc"], first.get("input")
    # Of a union each member has an error, in a place named after it.
    rest = [e for e in others if e["loc"][:1] == place[:1] and e.get("input") == given]
    if not rest or len(place) < 2 or not isinstance(place[1], str):
        return ParameterError(".".join(map(str, place)), _message(str(first["msg"]), given))
    wanted = [str(e["msg"]).removeprefix("Input should be ") for e in (first, *rest)]
    message = f"Input should be {' or '.join(dict.fromkeys(wanted))}"
    return ParameterError(str(place[0]), _message(message, given))


def _message(message: str, value: object) -> str:
    if message.startswith("Value error, "):
        return message.removeprefix("Value error, ")
    return f"{message[0].lower()}{message[1:]}, not {value!r}"
