"""Reports: curves, tables and a page from the table of results. Never imports torch."""

from bench.report.report import Report, write_report
from bench.report.summary import summary_lines

__all__ = ["Report", "summary_lines", "write_report"]
