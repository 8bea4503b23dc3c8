"""Parameters from YAML are strict: no unknown key, no silent conversion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import pytest
from torch import Tensor

from bench.api import OdeSolver, Problem, Time, require
from bench.registry import Kind, ParameterError, build, load_registry, parameters


@dataclass(frozen=True)
class Gadget(OdeSolver[None]):
    """A solver with a parameter of every type."""

    name: ClassVar[str] = "gadget"
    reference: ClassVar[str] = "nobody 2026"
    order: ClassVar[int] = 1

    rate: float = 0.5
    count: int = 1
    flag: bool = False
    label: str = "a"
    points: tuple[float, ...] = ()
    table: tuple[tuple[float, ...], ...] = ()
    limit: float | None = None
    choice: int | Literal["all"] | None = None

    def __post_init__(self) -> None:
        require(self.rate > 0, "rate must be > 0")
        require(self.count >= 1, "count must be >= 1")

    def step(
        self, problem: Problem, x: Tensor, now: Time, then: Time, state: None
    ) -> tuple[Tensor, None]:
        return x, None


@dataclass(frozen=True)
class Needy(Gadget):
    """A solver with a parameter that has no default."""

    name: ClassVar[str] = "needy"

    must: float = 0.0
    count: int = 2


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, Gadget()),
        ({"rate": 0.25}, Gadget(rate=0.25)),
        ({"rate": 3}, Gadget(rate=3.0)),
        ({"count": 4, "flag": True, "label": "b"}, Gadget(count=4, flag=True, label="b")),
        ({"points": [1, 2.5]}, Gadget(points=(1.0, 2.5))),
        ({"table": [[1.0], [2.0, 3.0]]}, Gadget(table=((1.0,), (2.0, 3.0)))),
        ({"limit": None}, Gadget()),
        ({"limit": 1e-3}, Gadget(limit=1e-3)),
    ],
)
def test_parameters_are_taken(given: dict[str, object], expected: Gadget) -> None:
    built = build(Gadget, given)
    assert built == expected
    assert type(built.rate) is float
    assert isinstance(built.points, tuple)
    hash(built)


@pytest.mark.parametrize(
    ("given", "key"),
    [
        ({"rate": "3"}, "rate"),
        ({"rate": True}, "rate"),
        ({"rate": None}, "rate"),
        ({"rate": [1.0]}, "rate"),
        ({"count": 1.5}, "count"),
        ({"count": 2.0}, "count"),
        ({"count": True}, "count"),
        ({"count": "2"}, "count"),
        ({"flag": 1}, "flag"),
        ({"flag": "yes"}, "flag"),
        ({"label": 3}, "label"),
        ({"points": 1.0}, "points"),
        ({"points": [1.0, "2"]}, "points.1"),
        ({"table": [[1.0], 2.0]}, "table.1"),
        ({"limit": "none"}, "limit"),
    ],
)
def test_wrong_types_are_refused_with_their_place(given: dict[str, object], key: str) -> None:
    with pytest.raises(ParameterError) as caught:
        build(Gadget, given)
    assert caught.value.key.startswith(key)
    assert "valid" in caught.value.message
    value: Any = next(iter(given.values()))
    part = value[1] if "." in key else value
    assert repr(part) in caught.value.message
    assert str(caught.value).startswith(f"{caught.value.key}: ")


def test_unknown_keys_are_answered_with_the_nearest() -> None:
    with pytest.raises(ParameterError) as caught:
        build(Gadget, {"raet": 1.0})
    assert caught.value.key == "raet"
    assert caught.value.message == "unknown key 'raet'; did you mean 'rate'?"


def test_unknown_keys_without_a_near_one_list_what_there_is() -> None:
    with pytest.raises(ParameterError, match="gadget takes rate, count, flag, label, points"):
        build(Gadget, {"zzz": 1.0})
    ddim = load_registry().get("ddim", Kind.ODE_SOLVER).cls
    with pytest.raises(ParameterError, match="unknown key 'eta'; ddim takes no parameters"):
        build(ddim, {"eta": 1.0})


def test_the_example_of_the_handbook() -> None:
    karras = load_registry().get("karras", Kind.GRID).cls
    with pytest.raises(ParameterError, match="unknown key 'roh'; did you mean 'rho'"):
        build(karras, {"roh": 5.0})


def test_values_out_of_range_give_the_plugins_own_words() -> None:
    with pytest.raises(ParameterError) as caught:
        build(Gadget, {"rate": -1.0})
    assert caught.value.message == "rate must be > 0"


OUT_OF_RANGE: list[tuple[Kind, str, dict[str, object], str]] = [
    (Kind.PROCESS, "ve", {"sigma_min": 60.0}, "0 < sigma_min < sigma_max must hold"),
    (Kind.PROCESS, "vp", {"beta_min": 0.0}, "0 < beta_min < beta_max must hold"),
    (Kind.PROCESS, "vp_cosine", {"offset": 1.5}, "offset must lie between 0 and 1"),
    (Kind.PROCESS, "edm", {"sigma_max": 0.001}, "0 < sigma_min < sigma_max must hold"),
    (Kind.GRID, "karras", {"rho": 0.0}, "rho must be > 0"),
    (Kind.CORRECTOR, "langevin", {"snr": 0.0}, "snr must be > 0"),
    (Kind.CORRECTOR, "langevin", {"steps": 0}, "steps must be >= 1"),
    (Kind.CORRECTOR, "annealed_langevin", {"snr": -1.0}, "snr must be > 0"),
    (Kind.ODE_SOLVER, "dopri5", {"rtol": 0.0}, "rtol must be > 0"),
    (Kind.ODE_SOLVER, "dopri5", {"atol": -1.0}, "atol must be > 0"),
    (Kind.MODEL, "random_mixture", {"dim": 0}, "dim must lie in 1..4096"),
]


@pytest.mark.parametrize(("kind", "name", "given", "message"), OUT_OF_RANGE)
def test_builtin_plugins_check_their_ranges(
    kind: Kind, name: str, given: dict[str, object], message: str
) -> None:
    with pytest.raises(ParameterError) as caught:
        build(load_registry().get(name, kind).cls, given)
    assert message in caught.value.message


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_numbers_that_are_none_are_refused(value: float) -> None:
    for kind, name, key in (
        (Kind.CORRECTOR, "langevin", "snr"),
        (Kind.GRID, "karras", "rho"),
        (Kind.ODE_SOLVER, "dopri5", "rtol"),
    ):
        with pytest.raises(ParameterError):
            build(load_registry().get(name, kind).cls, {key: value})


@pytest.mark.parametrize("value", [object(), b"1", {1, 2}])
def test_values_that_are_no_yaml_are_refused(value: object) -> None:
    with pytest.raises(ParameterError, match="use numbers, strings, lists and mappings"):
        build(Gadget, {"rate": value})


def test_every_builtin_plugin_builds_from_nothing() -> None:
    for entry in load_registry().entries:
        if entry.source.distribution == "scorebench":
            plugin = build(entry.cls, {})
            assert type(plugin) is entry.cls
            assert plugin == entry.cls()


def test_parameters_are_the_fields_alone() -> None:
    assert [f.name for f in parameters(Gadget)][:3] == ["rate", "count", "flag"]
    assert parameters(load_registry().get("ddim", Kind.ODE_SOLVER).cls) == ()


def test_inherited_parameters_stay_strict() -> None:
    assert build(Needy, {"must": 2.0}).count == 2
    with pytest.raises(ParameterError):
        build(Needy, {"must": "2"})


@pytest.mark.parametrize("value", ["most", 1.5, True, [1]])
def test_a_choice_of_types_names_all_that_would_do(value: object) -> None:
    with pytest.raises(ParameterError) as caught:
        build(Gadget, {"choice": value})
    assert caught.value.key == "choice"
    assert f"input should be a valid integer or 'all', not {value!r}" in str(caught.value)
    for good in (3, "all", None):
        assert build(Gadget, {"choice": good}).choice == good


def test_several_wrong_items_of_a_list_name_the_first() -> None:
    with pytest.raises(ParameterError) as caught:
        build(Gadget, {"points": ["x", "x"]})
    assert caught.value.key == "points.0"
