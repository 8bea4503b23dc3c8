"""The kit as tests for pytest."""

from __future__ import annotations

from collections.abc import Callable

from bench.registry import Entry, load_registry
from bench.testing.conformance.finding import Conformity
from bench.testing.conformance.selection import select
from bench.testing.conformance.suite import CHECKS, carry_out


def conformance(target: str) -> Callable[[Entry, str], None]:
    """A test function with one case for each plugin of ``target`` and check.

    Assign it to a name that pytest collects: ``test_conforms = conformance("my_solver")``.

    Args:
        target: name of a plugin, of an entry point or of a distribution.

    Raises:
        BenchError: nothing is called so, or what is called so is broken.
    """
    import pytest

    selection = select(load_registry(), target)
    selection.refuse_broken()
    cases = [
        pytest.param(entry, check.name, id=f"{entry.name}-{check.name}")
        for entry in selection.entries
        for check in CHECKS[entry.kind]
    ]

    @pytest.mark.parametrize(("entry", "check"), cases)
    def test_conforms(entry: Entry, check: str) -> None:
        finding = carry_out(entry, check)
        if finding.verdict is Conformity.SKIPPED:
            pytest.skip(finding.seen)
        if finding.verdict is Conformity.FAILED:
            pytest.fail(
                f"expected {finding.expected}\nseen     {finding.seen}\nremedy   {finding.remedy}",
                pytrace=False,
            )

    return test_conforms
