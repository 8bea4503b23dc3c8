"""A family hands out the plugin classes that its module names."""

from __future__ import annotations

from collections.abc import Callable

from bench.registry import Kind, Registry

Install = Callable[..., None]
Load = Callable[[], Registry]

FAMILY = """
    from dataclasses import dataclass
    from typing import ClassVar
    from bench.api import OdeSolver, Predictor, family

    @dataclass(frozen=True)
    class _Base(OdeSolver[None]):
        reference: ClassVar[str] = "nobody 2026"
        order: ClassVar[int] = 1

        def step(self, problem, x, now, then, state):
            return x, None

    @dataclass(frozen=True)
    class One(_Base):
        name: ClassVar[str] = "family_one"

    @dataclass(frozen=True)
    class Two(Predictor[None]):
        name: ClassVar[str] = "family_two"
        reference: ClassVar[str] = "nobody 2026"
        order: ClassVar[int] = 1
        step = _Base.step

    bench_family = family(__name__)
"""


def test_classes_are_told_apart_by_their_contracts(install: Install, load: Load) -> None:
    """Neither the contracts of bench.api nor private bases are plugins of it."""
    install("relatives", FAMILY)
    found = load()
    assert found.broken == ()
    assert found.get("family_one", Kind.ODE_SOLVER).source.entry_point == "relatives"
    assert found.get("family_two", Kind.PREDICTOR)


def test_a_class_without_a_contract_is_refused(install: Install, load: Load) -> None:
    install(
        "relatives",
        """
    from bench.api import Plugin, family

    class Stray(Plugin):
        name = reference = "stray"

    bench_family = family(__name__)
""",
    )
    (item,) = load().broken
    assert "Stray" in item.reason
    assert "is a subclass of no contract in bench.api" in item.reason
