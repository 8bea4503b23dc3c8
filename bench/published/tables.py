"""The file of published figures, read strictly: tables of curves with a protocol each."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import TypeAdapter, ValidationError

from bench.config.document import Document, KeyPath, read_document
from bench.core.errors import BenchError


class _Strict:
    """Unknown keys and silent conversions are refused."""

    __pydantic_config__: ClassVar[dict[str, object]] = {"extra": "forbid", "strict": True}


@dataclass(frozen=True)
class Citation(_Strict):
    """The place where a number was published.

    Attributes:
        paper: authors and year.
        place: the table or file.
        url: where it is to be read.
    """

    paper: str
    place: str
    url: str


@dataclass(frozen=True)
class PluginSetting(_Strict):
    """A plugin of this package, with the parameters that differ from its defaults."""

    name: str
    params: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        inner = ", ".join(f"{name}={value}" for name, value in self.params.items())
        return f"{self.name}({inner})" if inner else self.name


@dataclass(frozen=True)
class Checkpoint(_Strict):
    """A model plugin and the file that it read.

    Attributes:
        name: the plugin.
        checkpoint: its parameter path, such as `published:edm-cifar10-32x32-uncond-vp`.
        about: what it is.
        params: other parameters that differ from the defaults.
        weights: the sha256 of the file, where it is known: files of other names count then, too.
    """

    name: str
    checkpoint: str
    about: str
    params: Mapping[str, Any] = field(default_factory=dict)
    weights: str = ""


@dataclass(frozen=True)
class PublishedMetric(_Strict):
    """The metric that a table has.

    Attributes:
        name: what the results call it.
        against: acceptable values of the metric's parameter `against`; empty: it has none.
        params: its other parameters that differ from the defaults.
        n: samples or data points.
    """

    name: str
    n: int
    against: tuple[str, ...] = ()
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Curve(_Strict):
    """One line of a table.

    Attributes:
        label: what the source calls it.
        values: the numbers; null where the source has none.
        nfe: network evaluations as the source counts them, one for each value; null where it does
            not say.
        evaluations: the same as they are counted here; empty: as the source does.
        solver, corrector: plugins; no solver where none here does the same.
        denoising: what the host does to the denoiser: `afs`, `clip`, `threshold`.
        adaptive: whether the solver chooses its own steps.
        model, process, grid, finish: where they are not those of the table.
        deviations, notes: beside those of the table.
        unavailable: why no run can be held against the line.
    """

    label: str
    values: tuple[float | None, ...]
    nfe: tuple[int | None, ...]
    evaluations: tuple[int | None, ...] = ()
    solver: PluginSetting | None = None
    corrector: PluginSetting | None = None
    denoising: Mapping[str, bool | float] = field(default_factory=dict)
    adaptive: bool = False
    model: Checkpoint | None = None
    process: PluginSetting | None = None
    grid: PluginSetting | None = None
    finish: Literal["denoise", "none"] | None = None
    deviations: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    unavailable: str = ""

    def __post_init__(self) -> None:
        for name, other in (("nfe", self.nfe), ("evaluations", self.evaluations)):
            if len(other) != len(self.values) and (other or name == "nfe"):
                raise ValueError(f"{name} has {len(other)} entries for {len(self.values)} values")
        if not all(value is None or math.isfinite(value) for value in self.values):
            raise ValueError("values must be finite numbers, or null where the source has none")
        if self.solver is None and not self.unavailable:
            raise ValueError("a curve without solver must say why in `unavailable`")


@dataclass(frozen=True)
class PublishedTable(_Strict):
    """Figures of one source under one protocol.

    Attributes:
        id: short name.
        title: one line.
        source: where it stands.
        suite: the suite that measures it (`bench run SUITE`).
        dataset: what the images are.
        model, process, grid: what was sampled, and on which points of time.
        metric: what was measured.
        finish, s_min, s_max, dtype: of the protocol.
        aggregate, runs: what the number is of how many runs: `single`, `mean` or `minimum`.
        decimals: digits behind the point.
        spread: standard deviation from run to run, as a share of the value.
        curves: its lines.
        deviations: what the published run did that none here can do.
        notes: differences too small to matter, and how NFE is counted.
    """

    id: str
    title: str
    source: Citation
    suite: str
    dataset: str
    model: Checkpoint
    process: PluginSetting
    metric: PublishedMetric
    s_min: float
    s_max: float
    decimals: int
    spread: float
    curves: tuple[Curve, ...]
    grid: PluginSetting | None = None
    finish: Literal["denoise", "none"] = "denoise"
    dtype: str = "float32"
    aggregate: Literal["single", "mean", "minimum"] = "single"
    runs: int = 1
    deviations: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if (self.runs == 1) != (self.aggregate == "single") or self.runs < 1:
            raise ValueError("runs must be 1 with aggregate: single, and more with the others")
        if not 0 < self.spread < 1:
            raise ValueError("spread must be > 0, as no number comes out twice the same, and < 1")
        if not 0 <= self.decimals <= 12:
            raise ValueError("decimals must be the digits behind the point, 0 to 12")
        if not 0 < self.s_min < self.s_max < math.inf:
            raise ValueError("0 < s_min < s_max must hold")
        if self.grid is None and any(c.grid is None and not c.adaptive for c in self.curves):
            raise ValueError("grid is missing, here or in a curve")


@dataclass(frozen=True)
class _File(_Strict):
    tables: tuple[PublishedTable, ...]


def load_tables(file: Path | None = None) -> tuple[PublishedTable, ...]:
    """The tables of ``file``, or those that the package ships.

    Raises:
        BenchError: bad input; names file, line, place, cause and remedy.
    """
    document = read_document(file or Path(str(files(__package__))) / "figures.yaml")
    try:
        # JSON mode: strict about types, yet a YAML list may become a tuple.
        tables = TypeAdapter(_File).validate_json(json.dumps(document.content)).tables
    except ValidationError as error:
        raise _fault(document, error) from None
    names = [table.id for table in tables]
    for i, name in enumerate(names):
        if name in names[:i]:
            raise document.error(("tables", i, "id"), f"'{name}' stands there twice; rename one")
    return tables


_UNKNOWN = ("extra_forbidden", "unexpected_keyword_argument")


def _fault(document: Document, error: ValidationError) -> BenchError:
    faults = error.errors()
    # A misspelt key is missing, too: say what is there rather than what is not.
    first = next((fault for fault in faults if fault["type"] in _UNKNOWN), faults[0])
    place: KeyPath = tuple(first["loc"])
    kind, message = first["type"], str(first["msg"])
    if kind in _UNKNOWN:
        message = f"unknown key '{place[-1]}'; see docs/published.md for what belongs there"
    elif kind in ("missing", "missing_argument"):
        message, place = f"'{place[-1]}' is missing; add it", place[:-1]
    else:
        message = message.removeprefix("Value error, ")
        message = f"{message[0].lower()}{message[1:]}"
    return document.error(place, message)
