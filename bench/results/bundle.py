"""A run in two files, small enough to be committed: rows and evidence, no samples, no report.

<root>/rows.parquet           all rows of the run, compressed
<root>/evidence.safetensors   the numbers per sample, as KEY/NAME, in float32
"""

from __future__ import annotations

import hashlib
import os
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from bench.results import parquet_file, seal
from bench.results.evidence import Values, pack, read, unpack
from bench.results.schema import ARROW
from bench.results.store import Store, write_file

if TYPE_CHECKING:
    import pandas as pd

ROWS = "rows.parquet"
EVIDENCE = "evidence.safetensors"

BOUND = b"scorebench_evidence"
"""Key of the sha256 of the evidence in the metadata of the rows."""

REMEDY = "write it again with `bench baseline update`, or take it from git again"


def is_bundle(root: Path) -> bool:
    """Tell whether ``root`` holds a bundle."""
    return os.path.lexists(root / ROWS)  # what is there and is no file, is damaged


def write(store: Store, root: Path) -> None:
    """Write the results of ``store`` as a bundle.

    Raises:
        BenchError: there are no results, or they cannot be written.
    """
    frame = store.load()
    evidence = {
        f"{key}/{name}": values
        for key in frame["key"].unique()
        for name, values in sorted(read(store.evidence_path(key), f"evidence/{key}").items())
    }
    # The rows last: a bundle with rows is complete.
    content = pack(evidence, "evidence")
    write_file(root / EVIDENCE, content)
    write_rows(frame, root, content)


def write_rows(frame: pd.DataFrame, root: Path, evidence: bytes | None = None) -> None:
    """Write rows as those of a bundle, bound to the content of its file of evidence."""
    table = pa.Table.from_pandas(frame, schema=ARROW, preserve_index=False)
    bound = {} if evidence is None else {BOUND: hashlib.sha256(evidence).hexdigest().encode()}
    write_file(root / ROWS, parquet_file.pack(table, "rows", bound, compression="zstd"))


def rows(root: Path) -> pd.DataFrame:
    """Read the rows of a bundle.

    Raises:
        BenchError: the file is damaged, or of another schema.
    """
    with _with_remedy():
        frame: pd.DataFrame = _table(root).to_pandas()
    return frame


def evidence(root: Path) -> Mapping[str, Mapping[str, Values]]:
    """Read the evidence of a bundle by cell and name.

    Raises:
        BenchError: a file is damaged, or the evidence is not what the rows were written with.
    """
    with _with_remedy():
        bound = _table(root).schema.metadata.get(BOUND)
        if bound is None:
            return {}
        path = root / EVIDENCE
        content = _read(path, "evidence")
        if hashlib.sha256(content).hexdigest().encode() != bound:
            raise seal.DamagedError(path, "is of another bundle than the rows beside it")
        found: dict[str, dict[str, Values]] = defaultdict(dict)
        for name, values in unpack(content, path).items():
            key, _, rest = name.partition("/")
            found[key][rest] = values
    return found


def _table(root: Path) -> pa.Table:
    return parquet_file.unpack(_read(root / ROWS, "rows"), root / ROWS)


def _read(path: Path, place: str) -> bytes:
    try:
        return seal.read(path, place, limit=seal.LARGE)
    except (FileNotFoundError, NotADirectoryError):
        raise seal.DamagedError(path, "is missing") from None


@contextmanager
def _with_remedy() -> Iterator[None]:
    """Say what helps with a damaged bundle, which no run makes anew."""
    try:
        yield
    except seal.DamagedError as error:
        raise type(error)(error.path, error.why, REMEDY) from None
