"""Rows of results as sealed Parquet files."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from bench.results import seal
from bench.results.schema import SCHEMA_VERSION

VERSION = b"scorebench_schema_version"
SEAL = b"scorebench_seal"
"""Keys in the metadata of the schema."""

UNREADABLE = (OSError, pa.ArrowException, ValueError, KeyError, TypeError)
"""What pyarrow raises on what is no Parquet file: thrift's errors and bad UTF-8 among them."""


def pack(
    rows: pa.Table,
    place: str,
    more: Mapping[bytes, bytes] | None = None,
    compression: str = "snappy",
) -> bytes:
    """Return the content of a file.

    Args:
        rows: of the schema.
        place: what the file is (see `bench.results.seal`).
        more: what else its metadata hold.
        compression: of the pages.
    """
    version = str(SCHEMA_VERSION).encode()
    metadata = {VERSION: version, **(more or {}), SEAL: seal.blank(place)}
    sink = io.BytesIO()
    pq.write_table(rows.replace_schema_metadata(metadata), sink, compression=compression)
    return seal.fill(sink.getvalue())


def unpack(content: bytes, path: Path, threads: bool = False) -> pa.Table:
    """Return the rows of a file whose seal was verified, with its metadata.

    Raises:
        DamagedError: it is of another version of the schema, or no Parquet file after all.
    """
    try:
        # Half the time of pq.read_table, which looks for a data set of many files.
        with pq.ParquetFile(pa.BufferReader(content)) as file:
            table = file.read(use_threads=threads)
    except UNREADABLE as error:
        raise seal.DamagedError(path, f"is damaged ({error})") from None
    found = (table.schema.metadata or {}).get(VERSION, b"none").decode()
    if found != str(SCHEMA_VERSION):
        raise seal.OldError(path, seal.other_version(found))
    return table


def is_parquet(content: bytes) -> bool:
    """Tell whether a Parquet file can be read from ``content``."""
    try:
        pq.ParquetFile(pa.BufferReader(content)).close()
    except UNREADABLE:
        return False
    return True
