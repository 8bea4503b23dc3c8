"""The keys of benchmarks.yaml, checked strictly."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import field, fields
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from pydantic import ConfigDict, Field, ValidationError
from pydantic.dataclasses import dataclass

from bench.config.document import OWN, Document, KeyPath
from bench.config.protocol import PositiveFloat, Protocol

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Budget = Annotated[int, Field(gt=0, le=10**6)]
Seed = Annotated[int, Field(ge=0, lt=2**63)]
Items = Annotated[list[Any], Field(min_length=1)]

STRICT = ConfigDict(extra="forbid", strict=True)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class SuiteConfig(Protocol):
    """One matrix: models, tasks, processes, grids, solvers, guidance, denoising, NFE, seeds."""

    models: Items
    processes: Items = field(default_factory=lambda: ["vp"])
    tasks: Items = field(default_factory=lambda: [None])
    grids: Items = field(default_factory=lambda: ["karras"])
    guidance: Items = field(default_factory=lambda: [None])
    denoising: Items = field(default_factory=lambda: [None])
    solvers: Items
    nfe: list[Budget] = field(default_factory=list)
    seeds: Annotated[list[Seed], Field(min_length=1)] = field(default_factory=lambda: [0])
    metrics: Items
    timeout: PositiveFloat = 3600.0

    @property
    def protocol(self) -> Protocol:
        """The part that every cell carries."""
        return Protocol(**{f.name: getattr(self, f.name) for f in fields(Protocol)})


@dataclass(frozen=True, kw_only=True, config=STRICT)
class SuiteDefaults(SuiteConfig):
    """The keys of a suite, none of them needed."""

    models: list[Any] = field(default_factory=list)
    solvers: list[Any] = field(default_factory=list)
    metrics: list[Any] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class FileConfig:
    """The top of a file."""

    name: str | None = None
    include: list[str] = field(default_factory=list)
    defaults: dict[str, Any] = field(default_factory=dict)
    suites: dict[str, dict[str, Any]] = field(default_factory=dict)


M = TypeVar("M", bound="DataclassInstance")


def validate(kind: type[M], data: Mapping[str, Any], document: Document, top: KeyPath) -> M:
    """The keys and values of ``data``, which stands at ``top`` of the document.

    Raises:
        BenchError: names file, line, place, cause and remedy.
    """
    try:
        return kind(**data)
    except ValidationError as error:
        first = error.errors()[0]
        place: KeyPath = tuple(first["loc"])
        if first["type"] == "unexpected_keyword_argument":
            message = _unknown_key(str(place[-1]), kind)
        elif first["type"] == "missing":
            message, place = f"'{place[-1]}' is missing; add it", place[:-1]
        elif first["type"] == "too_short":
            message = "must not be empty"
        else:
            text = first["msg"].removeprefix("Value error, ")
            message = f"{text[0].lower()}{text[1:]}, not {_short(first['input'])}"
        raise document.error((*top, *place), message) from None


def _unknown_key(key: str, kind: type[M]) -> str:
    if key.startswith(OWN):
        return f"unknown key '{key}'; keys of your own ({OWN}...) belong at the top of the file"
    names = [f.name for f in fields(kind)]
    close = difflib.get_close_matches(key, names, n=1)
    advice = f"did you mean '{close[0]}'?" if close else f"there are: {', '.join(names)}"
    return f"unknown key '{key}'; {advice}"


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
