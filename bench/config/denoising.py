"""``denoising:`` of a suite or a solver: options that the host carries out."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from pydantic.dataclasses import dataclass

from bench.config.document import KeyPath
from bench.config.load import Suite
from bench.config.schema import STRICT, validate
from bench.core.denoising import Denoising


@dataclass(frozen=True, kw_only=True, config=STRICT)
class DenoisingConfig(Denoising):
    """An item of the list, checked strictly."""


def read_denoising(suite: Suite, item: Any, place: KeyPath) -> tuple[Denoising, ...]:
    """The options of a list, or the only ones; null for none.

    Raises:
        BenchError: an empty list, an unknown option or one out of range; names its place.
    """
    if item == []:
        raise suite.error(place, "must not be empty; use null for none")
    if not isinstance(item, list):
        return (_read(suite, item, place),)
    return tuple(_read(suite, value, (*place, i)) for i, value in enumerate(item))


def _read(suite: Suite, item: Any, place: KeyPath) -> Denoising:
    if item is None:
        return Denoising()
    if not isinstance(item, dict) or not all(isinstance(key, str) for key in item):
        raise suite.error(place, "must be null, or options such as {clip: 1}")
    options = validate(DenoisingConfig, item, suite.document, suite.place(place))
    return Denoising(**asdict(options))
