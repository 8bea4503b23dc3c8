"""The values of a parameter: a list means several, unless the parameter is a list itself."""

from __future__ import annotations

import typing
from typing import Any, get_origin

from bench.core.plugin import Plugin


def listed_values(cls: type[Plugin], name: str, value: Any) -> list[Any]:
    """The values that ``value`` gives the parameter ``name``, one for each plugin to build."""
    if not isinstance(value, list):
        return [value]
    hint = typing.get_type_hints(cls).get(name)
    takes_list = any(_is_list(t) for t in (hint, *typing.get_args(hint)))
    if takes_list and (value == [] or _depth(value) <= _hint_depth(hint)):
        return [value]
    return value or [value]


def _is_list(hint: Any) -> bool:
    return get_origin(hint) in (tuple, list)


def _depth(value: Any) -> int:
    return 1 + max((_depth(v) for v in value), default=0) if isinstance(value, list) else 0


def _hint_depth(hint: Any) -> int:
    return max((_hint_depth(t) for t in typing.get_args(hint)), default=0) + _is_list(hint)
