"""The finding of a check."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Conformity(StrEnum):
    """The outcome of one check."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Finding:
    """One check of one plugin.

    Attributes:
        plugin: its name.
        kind: its kind.
        check: name of the check.
        verdict: passed, failed, or skipped where the check has no meaning for this plugin.
        expected: what a conforming plugin does.
        seen: what this one did; the reason where the check was skipped.
        remedy: how to mend it.
    """

    plugin: str
    kind: str
    check: str
    verdict: Conformity
    expected: str = ""
    seen: str = ""
    remedy: str = ""


class Nonconformity(Exception):  # noqa: N818 - a finding, not an error of the kit
    """Raised by a check: what was expected, what was seen, how to mend it."""

    def __init__(self, expected: str, seen: str, remedy: str) -> None:
        super().__init__(f"expected {expected}; seen: {seen}; remedy: {remedy}")
        self.expected = expected
        self.seen = seen
        self.remedy = remedy


class NotApplicable(Exception):  # noqa: N818
    """Raised by a check that has no meaning for this plugin."""


def demand(condition: bool, expected: str, seen: str, remedy: str) -> None:
    """Raise a nonconformity unless ``condition`` holds."""
    if not condition:
        raise Nonconformity(expected, seen, remedy)
