"""A run in two files, small enough to be committed: rows and evidence, no samples, no report.

<root>/rows.parquet           all rows of the run, compressed
<root>/evidence.safetensors   the numbers per sample, as KEY/NAME, in float32
"""

from __future__ import annotations

import io
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from bench.core.errors import BenchError
from bench.run.evidence import Values, packed, unpacked
from bench.run.schema import ARROW, SCHEMA_VERSION
from bench.run.store import Store, write_atomically

if TYPE_CHECKING:
    import pandas as pd

ROWS = "rows.parquet"
EVIDENCE = "evidence.safetensors"


def is_bundle(root: Path) -> bool:
    """Whether ``root`` holds a bundle."""
    return (root / ROWS).is_file()


def write(store: Store, root: Path) -> None:
    """Write the results of ``store`` as a bundle.

    Raises:
        BenchError: there are no results, or they cannot be written.
    """
    frame = store.load()
    evidence = {
        f"{key}/{name}": values
        for key in frame["key"].unique()
        for name, values in sorted(unpacked(store.evidence_path(key)).items())
    }
    # The rows last: a bundle with rows is complete.
    write_atomically(root / EVIDENCE, packed(evidence))
    write_rows(frame, root)


def write_rows(frame: pd.DataFrame, root: Path) -> None:
    """Write rows as those of a bundle."""
    table = pa.Table.from_pandas(frame, schema=ARROW, preserve_index=False)
    sink = io.BytesIO()
    pq.write_table(table.replace_schema_metadata(ARROW.metadata), sink, compression="zstd")
    write_atomically(root / ROWS, sink.getvalue())


def rows(root: Path) -> pd.DataFrame:
    """The rows of a bundle.

    Raises:
        BenchError: the file is damaged, or of another schema.
    """
    path = root / ROWS
    try:
        with pq.ParquetFile(path) as file:
            table = file.read()
    except (OSError, pa.ArrowException) as error:
        raise BenchError(f"{path}: cannot be read ({error}); write it again") from None
    found = (table.schema.metadata or {}).get(b"scorebench_schema_version", b"none").decode()
    if found != str(SCHEMA_VERSION):
        raise BenchError(
            f"{path}: schema version {found}, this program reads {SCHEMA_VERSION}; write it again"
        )
    frame: pd.DataFrame = table.to_pandas()
    return frame


def evidence(root: Path) -> Mapping[str, Mapping[str, Values]]:
    """The evidence of a bundle by cell and name."""
    found: dict[str, dict[str, Values]] = defaultdict(dict)
    for name, values in unpacked(root / EVIDENCE).items():
        key, _, rest = name.partition("/")
        found[key][rest] = values
    return found
