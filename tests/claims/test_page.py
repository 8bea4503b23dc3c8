"""docs/claims.md shows a verdict and a figure for each claim."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bench_claims.claims import CLAIMS
from bench_claims.verdict import Outcome

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def page() -> str:
    path = ROOT / "docs" / "claims.md"
    if not path.exists():
        pytest.skip("needs the source tree")
    return path.read_text(encoding="utf-8")


def test_every_claim_has_its_statement_verdict_and_figure(page: str) -> None:
    verdicts = "|".join(outcome.value for outcome in Outcome if outcome is not Outcome.NOT_RUN)
    for claim in CLAIMS:
        assert f"> {claim.statement}" in page
        assert re.search(rf"\| \[{claim.name}\]\(#[a-z0-9-]+\) \| \*\*({verdicts})\*\* \|", page)
        assert f"images/claims/{claim.name}.svg" in page
        assert (ROOT / "docs" / "images" / "claims" / f"{claim.name}.svg").is_file()


def test_links_of_the_table_lead_to_sections(page: str) -> None:
    heads = re.findall(r"^## (.+)$", page, re.MULTILINE)
    anchors = {re.sub(r"[^a-z0-9 -]", "", head.lower()).replace(" ", "-") for head in heads}
    links = set(re.findall(r"^\| \[\w+\]\(#([a-z0-9-]+)\)", page, re.MULTILINE))
    assert len(links) == len(CLAIMS)
    assert links <= anchors
