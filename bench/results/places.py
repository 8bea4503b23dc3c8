"""Files in tables of results: a digest stands for each, so that equal files are one; people see
names.

The columns of parameters hold ``sha256:`` and 16 digits in the place of a path, and the column
``files`` says where the file lay. Here the digests become names for figures and lists. Equal
digests get equal names and others other names, so that what is grouped by them stays as it was.
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
_TOLD = frozenset(columns(Use.PARAMETERS, Use.LABEL))
_NAMED = ("published:", "hub:")


def parsed(text: object) -> dict[str, str]:
    """The paths in a row's ``files``, by digest; none where the text is missing or damaged."""
    if not isinstance(text, str) or not text:
        return {}
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    items = found.items() if isinstance(found, dict) else ()
    return {digest: str(path) for digest, path in items}


def places(files: Iterable[object]) -> dict[str, str]:
    """Of several rows' ``files``, the paths by digest; of equal files the place seen first."""
    found: dict[str, str] = {}
    for text in files:
        found = parsed(text) | found
    return {digest: path for digest, path in found.items() if _DIGEST.fullmatch(digest)}


def names(paths: Mapping[str, str]) -> dict[str, str]:
    """What each digest is called: the file's name; with digits of the digest where two share it."""
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


def named(frame: pd.DataFrame, called: Mapping[str, str] | None = None) -> pd.DataFrame:
    """The table with names in the place of digests, in parameters and labels.

    Args:
        frame: rows of results; those of an earlier version have no ``files`` and stay as they are.
        called: what the digests are called; None: as ``files`` tells.
    """
    if called is None:
        called = names_in(frame)
    if not called:
        return frame
    columns = {}
    for column in frame.columns:
        if column in _TOLD:
            distinct = frame[column].dropna().unique()
            texts = {text: renamed(text, called, column in _PARAMS) for text in distinct}
            columns[column] = frame[column].map(texts)
    return frame.assign(**columns)


def names_in(frame: pd.DataFrame) -> dict[str, str]:
    """What the digests of a table are called."""
    return names(places(frame[FILES].unique())) if FILES in frame else {}


def renamed(text: object, called: Mapping[str, str], quoted: bool) -> object:
    """A text with names in the place of digests; ``quoted``: within strings of JSON."""
    if not isinstance(text, str):
        return text

    def name(match: re.Match[str]) -> str:
        found = called.get(match[0], match[0])
        return json.dumps(found)[1:-1] if quoted else found

    return _DIGEST.sub(name, text)


def is_digest(value: object) -> bool:
    """Whether a parameter's value stands for a file."""
    return isinstance(value, str) and bool(_DIGEST.fullmatch(value))
