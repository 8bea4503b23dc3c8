"""Findings of `bench check`, and what they amount to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Verdict(StrEnum):
    """The weight of a finding."""

    GOOD = "good"
    NOTE = "note"
    FAULT = "fault"
    SKIPPED = "not measured"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        check: its name.
        verdict: its weight.
        text: a sentence for the reader.
        numbers: what was measured, by name.
    """

    check: str
    verdict: Verdict
    text: str
    numbers: Mapping[str, Any] = field(default_factory=dict)


def exit_code(findings: Sequence[Finding]) -> int:
    """0 where there is no fault, else 1."""
    return int(any(finding.verdict is Verdict.FAULT for finding in findings))
