"""`bench schema`: the documentation of the results table."""

from __future__ import annotations

from bench.extend import Command


def schema() -> None:
    """Print the documentation of the results table (Markdown)."""
    from bench.results.schema import markdown

    print(markdown(), end="")


COMMAND = Command("schema", schema, rank=30)
