"""Plugins by their contract and name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar, cast

from bench.core.plugin import Plugin
from bench.registry.discovery import load_registry
from bench.registry.entries import Kind
from bench.registry.parameters import build

P = TypeVar("P", bound=Plugin)


def make_plugin(contract: Callable[..., P], name: str, params: Mapping[str, object]) -> P:
    """Build the plugin called ``name`` from ``params``, strictly.

    Args:
        contract: its kind's contract of `bench.api`, such as `NoiseProcess`.

    Raises:
        BenchError: there is no such plugin of that kind.
        ParameterError: an unknown key, a wrong type or a value out of range.
    """
    (kind,) = (kind for kind in Kind if kind.base is contract)
    entry, preset = load_registry().resolve(name, kind)
    return cast(P, build(entry.cls, {**preset, **params}))
