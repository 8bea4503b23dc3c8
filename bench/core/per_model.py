"""Values that are computed once for a model, as long as it is loaded."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Concatenate, Generic, ParamSpec, Protocol, TypeVar
from weakref import WeakKeyDictionary

from bench.core.target import ScoreModel

P = ParamSpec("P")


class HasSize(Protocol):
    """A value that knows how much memory it takes."""

    @property
    def nbytes(self) -> int:
        """Bytes."""
        ...


V = TypeVar("V", bound=HasSize)

LIMIT = 1 << 28
"""Bytes that are kept for one model and one function."""


@dataclass(frozen=True, eq=False)
class PerModel(Generic[P, V]):
    """A function of a model and hashable values whose results are kept.

    A sweep asks for the same references cell after cell, once for each seed: a fixed number of
    them would be dropped just before it is asked for again. The results of a model go with it.

    Attributes:
        compute: the function.
        limit: bytes that are kept for a model; what was used longest ago goes first.
    """

    compute: Callable[Concatenate[ScoreModel, P], V]
    limit: int = LIMIT
    _kept: WeakKeyDictionary[ScoreModel, OrderedDict[Hashable, V]] = field(
        default_factory=WeakKeyDictionary
    )

    def __call__(self, model: ScoreModel, /, *args: P.args, **kwargs: P.kwargs) -> V:
        kept = self._kept.setdefault(model, OrderedDict())
        key = (args, tuple(sorted(kwargs.items())))
        if key not in kept:
            kept[key] = self.compute(model, *args, **kwargs)
            total = sum(value.nbytes for value in kept.values())
            while total > self.limit and len(kept) > 1:
                total -= kept.popitem(last=False)[1].nbytes
        kept.move_to_end(key)
        return kept[key]


def per_model(compute: Callable[Concatenate[ScoreModel, P], V]) -> PerModel[P, V]:
    """Decorate a function of a model, so that its results are kept."""
    return PerModel(compute)
