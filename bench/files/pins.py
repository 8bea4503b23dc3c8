"""Trust on first use: what the files were that were fetched without a published hash.

The cache folder has a file ``models.lock.json``: the sha256 of each such download, by name. From
then on the name means these bytes; the authors' file may change, results do not change in silence.
Files that users fetched under names of their own stand there too. The list has a checksum of its
own: a name that changed by itself would be trusted anew.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench.core.errors import BenchError
from bench.files.atomic import atomic_write_bytes
from bench.files.cache import cache_folder
from bench.files.lock import file_lock

CHECKSUM = "#sha256"
"""Key of the checksum of the list: no file has such a name."""


@dataclass(frozen=True)
class Pin:
    """The file that a name means in this cache.

    Attributes:
        sha256: of the file that was fetched first.
        size: its bytes.
        url: where it came from.
        file: its path in the cache folder.
        own: whether the user gave the name.
    """

    sha256: str
    size: int
    url: str
    file: str
    own: bool = False


def lock_file() -> Path:
    """Return the file of the pins."""
    return cache_folder() / "models.lock.json"


def pin_of(name: str) -> Pin | None:
    """Return the pin of this name, if it has one."""
    return _pins().get(name)


def own_pins() -> Mapping[str, Pin]:
    """Return the pins of names that the user gave."""
    return {name: pin for name, pin in _pins().items() if pin.own}


def set_pin(name: str, pin: Pin) -> None:
    """Pin ``name``; others that are written meanwhile are kept.

    Raises:
        BenchError: the cache folder cannot be written.
    """
    path = lock_file()
    with file_lock(path):
        pins = {**_pins(), name: pin}
        content = {key: asdict(value) for key, value in sorted(pins.items())}
        whole = {**content, CHECKSUM: _checksum(content)}
        atomic_write_bytes(path, (json.dumps(whole, indent=1) + "\n").encode())


def _pins() -> Mapping[str, Pin]:
    path = lock_file()
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        checksum = record.pop(CHECKSUM, None)  # lists of earlier versions have none
        if checksum is not None and checksum != _checksum(record):
            raise ValueError("its checksum does not hold")
        return {str(name): _pin(fields) for name, fields in record.items()}
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise BenchError(
            f"{path}: cannot be read ({error.strerror}); set BENCH_CACHE to a folder of yours"
        ) from None
    except (ValueError, TypeError, AttributeError) as error:
        raise unreadable(error) from None


def _checksum(record: Mapping[str, Any]) -> str:
    text = json.dumps(record, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _pin(fields: Mapping[str, Any]) -> Pin:
    pin = Pin(**fields)
    texts = (pin.sha256, pin.url, pin.file)
    if not all(isinstance(text, str) for text in texts) or not isinstance(pin.size, int):
        raise ValueError("a pin has fields of wrong types")
    return pin


def unreadable(error: Exception) -> BenchError:
    """Return the error of a list of pins that cannot be read."""
    return BenchError(
        f"{lock_file()}: is no list of pinned files ({error}); mend it, or delete it: what is in "
        "the cache is then trusted as it is"
    )
