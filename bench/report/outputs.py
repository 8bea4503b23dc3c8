"""Writes the files of a report beside its page, and removes those of a former one."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pyarrow as pa
from pyarrow import csv

from bench.core.errors import BenchError
from bench.render.latex import HEAD, latex_table
from bench.render.table import Table
from bench.report.methods import Methods
from bench.results import json_file

_LIST = ".report.json"
_OWN_NAME = re.compile(r"[a-z0-9][a-z0-9-]*\.(?:svg|pdf|png|csv|tex|bib|html)")


def write_csv(frames: Mapping[str, pd.DataFrame], folder: Path) -> tuple[Path, ...]:
    """Write tables by the names of their files."""
    for name, frame in frames.items():
        # pyarrow writes 100,000 rows in the time pandas needs for some thousands
        csv.write_csv(pa.Table.from_pandas(frame, preserve_index=False), folder / name)
    return tuple(folder / name for name in frames)


def write_latex(title: str, tables: Sequence[Table], path: Path) -> tuple[Path, ...]:
    """Write the tables of a section, if it has any."""
    if not tables:
        return ()
    named = (replace(table, title=f"{title}: {table.title}") for table in tables)
    path.write_text(HEAD + "\n".join(map(latex_table, named)), encoding="utf-8")
    return (path,)


def write_methods(methods: Methods | None, folder: Path) -> tuple[Path, ...]:
    """Write the paragraph on methods and its references, if there is one."""
    if methods is None:
        return ()
    text, entries = folder / "methods.tex", folder / "references.bib"
    text.write_text(methods.paragraph + "\n", encoding="utf-8")
    entries.write_text(methods.bibtex, encoding="utf-8")
    return text, entries


def remove_stale(folder: Path, written: Iterable[Path]) -> None:
    """Delete the files that the former report in this folder wrote and this one did not."""
    try:
        listed = json_file.read(folder / _LIST, "report")["files"]
    except (OSError, BenchError):  # files that stay too long do no harm
        return
    for name in set(listed) - {path.name for path in written}:
        if _OWN_NAME.fullmatch(name):  # whatever the list says: plain names in this folder alone
            with contextlib.suppress(OSError):
                (folder / name).unlink()


def list_files(folder: Path, written: Iterable[Path]) -> None:
    """List what the report consists of, for the next one."""
    names = sorted({path.name for path in written})
    (folder / _LIST).write_bytes(json_file.pack({"files": names}, "report"))
