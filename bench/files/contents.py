"""Digests of the files that a plugin's parameters name."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from bench.core.errors import BenchError
from bench.core.plugin import Plugin, file_parameters
from bench.files.asset import PREFIX, Asset, find_published
from bench.files.hashing import file_sha256
from bench.files.hub import HubFolder
from bench.files.supply import needs

MARK = "sha256:"
"""The beginning of a digest in the place of a path."""


def contents(plugin: Plugin) -> Mapping[str, str]:
    """Return by parameter that names a file the digest of its content: ``sha256:`` and 64 digits.

    "" where the place decides no number. Parameters that name nothing (None, or the empty string)
    are left out.

    Raises:
        BenchError: a file is missing or damaged; names the parameter.
    """
    own = plugin.contents()
    named = {name: getattr(plugin, name) for name in file_parameters(type(plugin))}
    return {
        name: _mark(own[name]) if name in own else _digest(plugin, name, value)
        for name, value in named.items()
        if value
    }


def _mark(own: str) -> str:
    """Return the plugin's own digest in the host's form."""
    if not own:
        return ""
    plain = own.removeprefix(MARK)
    if not re.fullmatch("[0-9a-f]{64}", plain):
        plain = hashlib.sha256(own.encode(errors="surrogatepass")).hexdigest()
    return MARK + plain


def _digest(plugin: Plugin, name: str, value: object) -> str:
    if isinstance(value, str):
        return MARK + _of_path(plugin, name, value)
    parts = [_of_path(plugin, name, str(path)) for path in value if path]  # type: ignore[attr-defined]
    return MARK + hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _of_path(plugin: Plugin, name: str, path: str) -> str:
    hub = HubFolder.parse(path)
    if hub is not None:
        return hub.digest()
    if path.startswith(PREFIX):
        return _find_asset(plugin, path).digest()
    try:
        place = Path(path)
        if place.is_dir():
            return folder_sha256(place)
        if place.exists() and not place.is_file():  # reading a device might never end
            raise BenchError(f"{plugin.name}: {name} '{path}': is neither a file nor a folder")
        return file_sha256(place)
    except (OSError, ValueError) as error:  # ValueError: no file name at all, such as "\0"
        reason = error.strerror if isinstance(error, OSError) else error
        raise BenchError(
            f"{plugin.name}: {name} '{path}': {reason}; fetch it and put it there, or name "
            f"another with the parameter {name}"
        ) from None


def _find_asset(plugin: Plugin, path: str) -> Asset:
    catalogue = [supply for supply in needs(plugin) if isinstance(supply, Asset)]
    found = find_published(path, catalogue)
    assert found is not None  # it begins as one
    return found


def folder_sha256(folder: Path) -> str:
    """Return the sha256 over the relative names and the content of all files below ``folder``.

    Links are followed, but not back to a folder that one is in.

    Raises:
        OSError: something cannot be read.
    """
    digest = hashlib.sha256()
    for file in sorted(_files(folder, ()), key=lambda f: f.relative_to(folder).as_posix()):
        name = file.relative_to(folder).as_posix().encode(errors="surrogateescape")
        digest.update(name + b"\0" + file_sha256(file).encode() + b"\n")
    return digest.hexdigest()


def _files(folder: Path, above: tuple[Path, ...]) -> Iterator[Path]:
    real = folder.resolve()
    if real in above:
        return
    for item in folder.iterdir():
        if item.is_dir():
            yield from _files(item, (*above, real))
        elif item.is_file() or item.is_symlink():  # hashing says what a link to nothing is
            yield item
