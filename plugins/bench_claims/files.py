"""The files that verdicts are written to."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from bench.files.atomic import atomic_write_bytes
from bench_claims.drawing import svg
from bench_claims.page import Judged, html, json_form, markdown

_REMEDY = "free space or choose another place with --out"


def write_verdicts(judged: Sequence[Judged], folder: Path) -> Path:
    """Write claims.md, claims.html, claims.json and NAME.svg of each claim; the page's path.

    Raises:
        BenchError: they cannot be written.
    """
    figures = {item.claim.name: svg(item.verdict) for item in judged}
    texts = {
        "claims.md": markdown(judged, "."),
        "claims.html": html(judged, figures),
        "claims.json": json.dumps(json_form(judged), indent=1) + "\n",
        **{f"{name}.svg": drawing for name, drawing in figures.items()},
    }
    for name, text in texts.items():
        atomic_write_bytes(folder / name, text.encode(), _REMEDY)
    return folder / "claims.html"
