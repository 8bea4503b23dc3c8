"""Digests of files in tables of results, and the names that people see in their place.

A digest stands for each file, so that equal files are one: the columns of parameters hold
``sha256:`` and 16 digits in the place of a path, and the column ``files`` says where the file lay.
Here the digests become names for figures and lists. Equal digests get equal names and others other
names, so that what is grouped by them stays as it was.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import PurePath

import pandas as pd

from bench.results.column import Use
from bench.results.schema import columns

FILES = "files"
"""The column that says where files lay."""

_DIGEST = re.compile("sha256:[0-9a-f]{16}")
_PARAMS = columns(Use.PARAMETERS)
_WITH_DIGESTS = frozenset(columns(Use.PARAMETERS, Use.LABEL))
_NAMED = ("published:", "hub:")


def parse_files(text: object) -> dict[str, str]:
    """Return the paths in a row's ``files`` by digest; none where it is missing or damaged."""
    if not isinstance(text, str) or not text:
        return {}
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    items = found.items() if isinstance(found, dict) else ()
    return {digest: str(path) for digest, path in items}


def places(files: Iterable[object]) -> dict[str, str]:
    """Return the paths by digest of several rows' ``files``; of equal files the first."""
    found: dict[str, str] = {}
    for text in files:
        found = parse_files(text) | found
    return {digest: path for digest, path in found.items() if _DIGEST.fullmatch(digest)}


def names(paths: Mapping[str, str]) -> dict[str, str]:
    """Return the name of each digest: the file's, with digits of the digest where two share it."""
    plain = {digest: _name(path) for digest, path in paths.items()}
    shared = Counter(plain.values())
    called = {
        digest: name if shared[name] == 1 else f"{name}@{digest.removeprefix('sha256:')[:8]}"
        for digest, name in plain.items()
    }
    twice = Counter(called.values())
    return {digest: name if twice[name] == 1 else digest for digest, name in called.items()}


def _name(path: str) -> str:
    return path if path.startswith(_NAMED) else PurePath(path.replace("\\", "/")).name or path


def with_names(frame: pd.DataFrame, called: Mapping[str, str] | None = None) -> pd.DataFrame:
    """Put names in the place of digests, in parameters and labels.

    Args:
        frame: rows of results; those of an earlier version have no ``files`` and stay as they are.
        called: names by digest; None: as ``files`` tells.
    """
    if called is None:
        called = names_in(frame)
    if not called:
        return frame
    columns = {}
    for column in frame.columns:
        if column in _WITH_DIGESTS:
            distinct = frame[column].dropna().unique()
            texts = {text: replace_digests(text, called, column in _PARAMS) for text in distinct}
            columns[column] = frame[column].map(texts)
    return frame.assign(**columns)


def names_in(frame: pd.DataFrame) -> dict[str, str]:
    """Return the names of the digests of a table."""
    return names(places(frame[FILES].unique())) if FILES in frame else {}


def replace_digests(text: object, called: Mapping[str, str], quoted: bool) -> object:
    """Put names in the place of digests in a text; ``quoted``: within strings of JSON."""
    if not isinstance(text, str):
        return text

    def name(match: re.Match[str]) -> str:
        found = called.get(match[0], match[0])
        return json.dumps(found)[1:-1] if quoted else found

    return _DIGEST.sub(name, text)


def is_digest(value: object) -> bool:
    """Tell whether a parameter's value stands for a file."""
    return isinstance(value, str) and bool(_DIGEST.fullmatch(value))
