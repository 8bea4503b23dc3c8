"""Reports: curves, tables and a page from the table of results. Never imports torch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bench.report.report import Report, write_report
    from bench.report.summary import summary_lines

__all__ = ["Report", "summary_lines", "write_report"]


def __getattr__(name: str) -> Any:
    # Lazy: whoever wants the protocol's columns alone does not wait two seconds for matplotlib.
    if name in {"Report", "write_report"}:
        from bench.report import report

        return getattr(report, name)
    if name == "summary_lines":
        from bench.report.summary import summary_lines

        return summary_lines
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
