"""Commands of typer whose options are the fields of dataclasses."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import MISSING, Field, fields
from typing import Any, get_type_hints


def flatten(run: Callable[..., None]) -> Callable[..., None]:
    """Return ``run`` as a function of the fields of the dataclasses that it takes.

    A parameter's type is its field's, an Annotated one with the option of typer; a field without
    a default is a required option.
    """
    groups = {name: cls for name, cls in get_type_hints(run).items() if name != "return"}
    owners = {field.name: name for name, cls in groups.items() for field in fields(cls)}

    def command(**options: object) -> None:
        values: dict[str, dict[str, object]] = {name: {} for name in groups}
        for option, value in options.items():
            values[owners[option]][option] = value
        run(**{name: cls(**values[name]) for name, cls in groups.items()})

    parameters = [item for cls in groups.values() for item in _parameters(cls)]
    command.__doc__ = run.__doc__
    command.__annotations__ = {item.name: item.annotation for item in parameters}
    vars(command)["__signature__"] = inspect.Signature(parameters)
    return command


def _parameters(cls: type[Any]) -> Iterator[inspect.Parameter]:
    hints = get_type_hints(cls, include_extras=True)
    for field in fields(cls):
        yield inspect.Parameter(
            field.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=_default(field),
            annotation=hints[field.name],
        )


def _default(field: Field[Any]) -> object:
    return inspect.Parameter.empty if field.default is MISSING else field.default
