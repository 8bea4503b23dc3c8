"""Plugins for other versions of the host are refused, with the reason and the remedy."""

from __future__ import annotations

import textwrap
import time
from collections.abc import Callable

import pytest

from bench import __version__
from bench.api import API_VERSION
from bench.registry import Kind, Registry, guard

Install = Callable[..., None]
Load = Callable[[], Registry]

SOLVER = """
    from dataclasses import dataclass
    from typing import ClassVar
    from bench.api import OdeSolver, hookimpl

    @dataclass(frozen=True)
    class Solver(OdeSolver[None]):
        name: ClassVar[str] = "pinned"
        reference: ClassVar[str] = "nobody 2026"
        order: ClassVar[int] = 1

        def step(self, problem, x, now, then, state):
            return x, None

    @hookimpl
    def bench_ode_solvers():
        return [Solver]
"""
BROKEN = "raise RuntimeError('imported although its version does not fit')"


def _pinned(pin: str) -> str:
    return f"BENCH_API = {pin!r}\n" + textwrap.dedent(SOLVER)


@pytest.mark.parametrize("pin", ["", "~=3.0", ">=3.0,<4", "==3.*", f"=={API_VERSION}"])
def test_a_pin_that_fits(pin: str, install: Install, load: Load) -> None:
    install("pinned", _pinned(pin))
    found = load()
    assert found.broken == ()
    assert found.get("pinned", Kind.ODE_SOLVER)


@pytest.mark.parametrize("pin", ["~=2.0", "~=4.0", "<3.0", ">=3.5"])
def test_a_pin_that_does_not_fit(pin: str, install: Install, load: Load) -> None:
    install("pinned", _pinned(pin))
    (item,) = load().broken
    assert item.reason == (
        f"is made for plugin API {pin}, and scorebench {__version__} has {API_VERSION}; install a "
        "version of either that fits the other"
    )


def test_a_pin_that_is_none(install: Install, load: Load) -> None:
    install("pinned", _pinned("one point oh"))
    (item,) = load().broken
    assert item.reason == (
        "BENCH_API = 'one point oh' is no version specifier; write one such as '~=3.3'"
    )


def test_a_requirement_is_checked_before_the_import(install: Install, load: Load) -> None:
    install("far", BROKEN, requires=["torch", "Scorebench >=99"])
    (item,) = load().broken
    assert item.reason == (
        f"requires scorebench>=99, and this is {__version__}; install a version of either that "
        "fits the other"
    )


@pytest.mark.parametrize(
    "requirement",
    [
        "scorebench",
        f"scorebench>={__version__}",
        "scorebench>=99; extra == 'test'",
        "scorebench>=99; python_version < '3'",
        "scorebench-extras>=99",
    ],
)
def test_requirements_that_fit_or_do_not_matter(
    requirement: str, install: Install, load: Load
) -> None:
    install("near", SOLVER, requires=[requirement])
    assert load().broken == ()


def test_plugins_can_be_left_out(
    install: Install, load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    install("hopeless", BROKEN)
    install("fine", SOLVER)
    monkeypatch.setenv("BENCH_WITHOUT", "other, hopeless")
    found = load()
    assert found.broken == ()
    assert [e.name for e in found.of(Kind.ODE_SOLVER)] == ["pinned"]


def test_a_slow_import_is_named(
    install: Install,
    load: Load,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(guard, "_SLOW_IMPORT_S", 0.05)
    install("sleepy", "import time\ntime.sleep(0.5)\n" + textwrap.dedent(SOLVER))
    assert load().broken == ()
    time.sleep(0.1)
    told = capsys.readouterr().err
    assert "still importing plugin 'sleepy' of 'dist-sleepy'" in told
    assert "BENCH_WITHOUT=sleepy" in told
