"""What a metric returns is held to the contract before it becomes a row."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from bench.api import BenchError, Measurement, Role
from bench.run.measurements import check_measurements


def _number(name: str, role: Any = Role.QUALITY, belongs_to: str = "") -> Measurement:
    return Measurement(name, 1.0, "1", 1, role=role, belongs_to=belongs_to)


def test_roles_and_owners_of_any_name_are_kept() -> None:
    given = [
        _number("error_rate"),
        _number("foo", Role.ERROR),
        _number("own", Role.REFERENCE, "foo"),
        _number("likelihood", Role.DIAGNOSTIC),
        _number("truth", Role.EXACT, "likelihood"),
        _number("gap", Role.ERROR, "likelihood"),
        _number("spread", Role.DIAGNOSTIC, "error_rate"),
        _number("near", Role.REFERENCE, "likelihood"),
    ]
    assert check_measurements("m", given) == given
    assert [number.ranked for number in given] == [
        True,
        True,
        False,
        False,
        False,
        True,
        False,
        False,
    ]


def test_a_role_may_be_spelled_and_numbers_may_be_tensors() -> None:
    odd = Measurement("a", torch.tensor(2.5), "1", torch.tensor(7), role="error")  # type: ignore[arg-type]
    (plain,) = check_measurements("m", [odd])
    assert plain.role is Role.ERROR
    assert (plain.value, plain.n) == (2.5, 7)
    assert type(plain.value) is float


@pytest.mark.parametrize(
    ("numbers", "says"),
    [
        ([], "no measurement"),
        ([_number("a", "eror")], "'eror'; there are: quality, error, exact, reference, diagnostic"),
        ([_number("a", None)], "role None"),
        ([_number("a"), _number("a")], "two measurements 'a'; rename one"),
        ([_number("a", Role.EXACT)], "'a' has role 'exact' and belongs to none; name one"),
        ([_number("a", Role.REFERENCE)], "name one with belongs_to"),
        ([_number("a", Role.ERROR, "b")], "'b', which is none of the others; there are: none"),
        ([_number("a", Role.ERROR, "a")], "which is none of the others"),
        ([_number("a"), _number("b", Role.DIAGNOSTIC, "A")], "there are: 'a'"),
        (
            [_number("a"), _number("b", Role.EXACT, "a"), _number("c", Role.DIAGNOSTIC, "b")],
            "'b', which has role 'exact'; name what that is for",
        ),
        (
            [_number("a"), _number("b", Role.EXACT, "a"), _number("c", Role.EXACT, "a")],
            "'c' is the second exact value that belongs to 'a'; leave one out",
        ),
        (
            [_number("a"), _number("b", Role.REFERENCE, "a")],
            "'b' belongs to 'a', which is no error and has no exact value",
        ),
    ],
)
def test_what_makes_no_sense_is_named(numbers: list[Measurement], says: str) -> None:
    with pytest.raises(BenchError) as caught:
        check_measurements("metric_of_mine", numbers)
    assert str(caught.value).startswith("metric_of_mine: ")
    assert says in str(caught.value)
