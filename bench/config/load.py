"""What benchmarks.yaml may say: the structure of a run, checked strictly."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bench.config.document import OWN, Document, Path_, read_document
from bench.core.errors import BenchError

Positive = Annotated[int, Field(gt=0, le=10**9)]
Budget = Annotated[int, Field(gt=0, le=10**6)]
Items = Annotated[list[Any], Field(min_length=1)]


class Protocol(BaseModel):
    """Under which rules numbers are made; part of every cell.

    Attributes:
        samples: number of samples.
        batch: samples that go through the loop together.
        shard: rows of one network call; results are bitwise equal for all batches that are
            multiples of it.
        dtype: of state and network.
        s_min, s_max: noise-to-signal ratios where the grid ends and starts; None: the model's,
            as far as the process reaches.
        finish: ``denoise`` ends with one network evaluation at s_min, ``none`` at s_min itself.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    samples: Positive = 1000
    batch: Positive = 256
    shard: Positive = 64
    dtype: Literal["float32", "float64"] = "float32"
    s_min: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    s_max: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    finish: Literal["denoise", "none"] = "denoise"


class SuiteConfig(Protocol):
    """One matrix: models x processes x grids x solvers x NFE x seeds, with its metrics."""

    models: Items
    processes: Items = ["vp"]
    grids: Items = ["karras"]
    solvers: Items
    nfe: list[Budget] = []
    seeds: Annotated[list[Annotated[int, Field(ge=0, lt=2**63)]], Field(min_length=1)] = [0]
    metrics: Items
    timeout: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 3600.0

    def protocol(self) -> Protocol:
        """The part that every cell carries."""
        return Protocol(**{name: getattr(self, name) for name in Protocol.model_fields})


class FileConfig(BaseModel):
    """The top of a file."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    name: str | None = None
    include: list[str] = []
    defaults: dict[str, Any] = {}
    suites: dict[str, dict[str, Any]] = {}


@dataclass(frozen=True)
class Suite:
    """A suite and where it stands in its file."""

    name: str
    config: SuiteConfig
    document: Document
    defaulted: frozenset[str]

    def error(self, place: Path_, message: str) -> BenchError:
        """An error at ``place`` below the suite (or in the defaults, where the key came from)."""
        inherited = bool(place) and place[0] in self.defaulted
        top: Path_ = ("defaults",) if inherited else ("suites", self.name)
        return self.document.error((*top, *place), message)


@dataclass(frozen=True)
class Config:
    """All suites of a file and of what it includes."""

    name: str
    suites: tuple[Suite, ...]


_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def load_config(path: Path) -> Config:
    """Read ``path`` and what it includes.

    Raises:
        BenchError: bad input; names file, line, place, cause and remedy.
    """
    document = read_document(path)
    top = _validate_top(document)
    suites: dict[str, Suite] = {}
    for suite in _suites(document, (path.resolve(),)):
        if suite.name in suites:
            other = suites[suite.name].document.path
            raise suite.error((), f"suite '{suite.name}' stands in {other} too; rename one")
        suites[suite.name] = suite
    if not suites:
        raise BenchError(f"{path}: defines no suites; add `suites:` (see `bench run --help`)")
    name = top.name if top.name is not None else path.stem
    if not _NAME.fullmatch(name):
        raise document.error(
            ("name",), f"'{name}' cannot name a folder; use letters, digits, '.', '_' and '-'"
        )
    return Config(name, tuple(suites.values()))


def _suites(document: Document, chain: tuple[Path, ...]) -> Iterator[Suite]:
    top = _validate_top(document)
    for i, name in enumerate(top.include):
        if "\0" in name:
            raise document.error(("include", i), "holds a zero byte; name a file")
        target = (document.path.parent / name).resolve()
        if target in chain:
            loop = " -> ".join(p.name for p in (*chain[chain.index(target) :], target))
            raise document.error(("include", i), f"includes itself: {loop}; remove one of them")
        if not target.is_file():
            raise document.error(
                ("include", i), f"there is no file '{name}' beside {document.path.name}"
            )
        yield from _suites(read_document(document.path.parent / name), (*chain, target))
    _validate(_Defaults, top.defaults, document, ("defaults",))
    for name, body in top.suites.items():
        merged = {**top.defaults, **body}
        if not _NAME.fullmatch(name):
            raise document.error(
                ("suites", name), "use letters, digits, '.', '_' and '-' in a suite's name"
            )
        config = _validate(SuiteConfig, merged, document, ("suites", name))
        suite = Suite(name, config, document, frozenset(top.defaults) - frozenset(body))
        if config.s_min is not None and config.s_max is not None and config.s_min >= config.s_max:
            raise suite.error(("s_min",), f"must be below s_max = {config.s_max:g}")
        yield suite


class _Defaults(SuiteConfig):
    """The keys of a suite, none of them needed."""

    models: list[Any] = []
    solvers: list[Any] = []
    metrics: list[Any] = []


def _validate_top(document: Document) -> FileConfig:
    return _validate(FileConfig, document.content, document, ())


M = TypeVar("M", bound=BaseModel)


def _validate(model: type[M], data: Mapping[str, Any], document: Document, top: Path_) -> M:
    try:
        return model.model_validate(dict(data))
    except ValidationError as error:
        first = error.errors()[0]
        place: Path_ = tuple(first["loc"])
        kind, value = first["type"], first.get("input")
        if kind == "extra_forbidden":
            message = _unknown_key(str(place[-1]), model)
        elif kind == "missing":
            message, place = f"'{place[-1]}' is missing; add it", place[:-1]
        elif kind == "too_short":
            message = "must not be empty"
        else:
            message = f"{first['msg'][0].lower()}{first['msg'][1:]}, not {_short(value)}"
        raise document.error((*top, *place), message) from None


def _unknown_key(key: str, model: type[BaseModel]) -> str:
    if key.startswith(OWN):
        return f"unknown key '{key}'; keys of your own ({OWN}...) belong at the top of the file"
    names = list(model.model_fields)
    close = difflib.get_close_matches(key, names, n=1)
    advice = f"did you mean '{close[0]}'?" if close else f"there are: {', '.join(names)}"
    return f"unknown key '{key}'; {advice}"


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
