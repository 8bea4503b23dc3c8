"""docs/claims.md has each claim, and a figure for each verdict that it shows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bench_claims.claims import CLAIMS

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def page() -> str:
    path = ROOT / "docs" / "claims.md"
    if not path.exists():
        pytest.skip("needs the source tree")
    return path.read_text(encoding="utf-8")


def test_every_claim_has_its_statement_and_source(page: str) -> None:
    for claim in CLAIMS:
        assert claim.statement in page
        assert claim.source in page


def test_every_figure_is_there(page: str) -> None:
    for path in re.findall(r"!\[[^\]]*\]\(([^)]+)\)", page):
        assert (ROOT / "docs" / path).is_file()
