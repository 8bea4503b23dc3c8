"""Checks the measurements of a metric against the contract, and makes them plain."""

from __future__ import annotations

from collections.abc import Sequence

from bench.core.errors import BenchError
from bench.core.metric import Measurement
from bench.core.role import Role
from bench.core.uncertainty import given_error
from bench.printable import one_line

_LONGEST = 100
"""Characters of a name or a unit."""

_DEPENDENT = (Role.EXACT, Role.REFERENCE)
"""Roles that mean nothing without the number that they are for."""


def check_measurements(metric: str, numbers: Sequence[Measurement] | None) -> list[Measurement]:
    """The measurements of a metric as plain Python numbers and strings.

    Raises:
        BenchError: there is none; two have one name; a role is unknown; what one belongs to is
            not there, or cannot have it.
    """
    if not numbers:
        raise BenchError(f"{metric}: returned no measurement")
    plain = [_plain(metric, number) for number in numbers]
    named: dict[str, Measurement] = {}
    for number in plain:
        if number.metric in named:
            raise BenchError(f"{metric}: returned two measurements '{number.metric}'; rename one")
        named[number.metric] = number
    for number in plain:
        fault = _fault(number, named, plain)
        if fault:
            raise BenchError(f"{metric}: measurement '{number.metric}' {fault}")
    return plain


def _plain(metric: str, number: Measurement) -> Measurement:
    try:
        role = Role(number.role)
    except ValueError:
        raise BenchError(
            f"{metric}: measurement '{number.metric}' has role {number.role!r}; "
            f"there are: {', '.join(Role)}"
        ) from None
    name = str(number.metric)
    if not name.strip() or not name.isprintable() or len(name) > _LONGEST:
        raise BenchError(
            f"{metric}: a measurement is called {name!r}; name it in 1 to {_LONGEST} characters "
            "that can be printed"
        )
    return Measurement(
        metric=name,
        value=float(number.value),
        unit=one_line(str(number.unit), _LONGEST),
        n=int(number.n),
        std_error=given_error(number.std_error).std_error,
        reference=str(number.reference),
        nfe=float(number.nfe),
        vjp=float(number.vjp),
        role=role,
        belongs_to=str(number.belongs_to),
        evidence=number.evidence,
        reference_n=None if number.reference_n is None else int(number.reference_n),
        reference_note=str(number.reference_note),
        note=str(number.note) or given_error(number.std_error).note,
    )


def _fault(
    number: Measurement, named: dict[str, Measurement], every: Sequence[Measurement]
) -> str | None:
    """The fault of what a number belongs to, with the remedy; None if there is none."""
    if not number.belongs_to:
        if number.role in _DEPENDENT:
            return f"has role '{number.role}' and belongs to none; name one with belongs_to"
        return None
    owner = named.get(number.belongs_to)
    if owner is None or owner is number:
        others = ", ".join(f"'{name}'" for name in named if name != number.metric) or "none"
        return f"belongs to '{number.belongs_to}', which is none of the others; there are: {others}"
    if owner.role in _DEPENDENT:
        return f"belongs to '{owner.metric}', which has role '{owner.role}'; name what that is for"
    if number.role in _DEPENDENT and number is not _first(every, number):
        return f"is the second {number.role} value that belongs to '{owner.metric}'; leave one out"
    judged = any(n.role is Role.EXACT and n.belongs_to == owner.metric for n in every)
    if number.role is Role.REFERENCE and owner.role is not Role.ERROR and not judged:
        return f"belongs to '{owner.metric}', which is no error and has no exact value"
    return None


def _first(every: Sequence[Measurement], number: Measurement) -> Measurement:
    """The first number that has the same role for the same one."""
    return next(n for n in every if (n.role, n.belongs_to) == (number.role, number.belongs_to))
