"""Downloads of published files: resumed, verified, and put into their place all at once."""

from __future__ import annotations

import errno
import shutil
import time
from dataclasses import dataclass

from bench.core.errors import BenchError
from bench.files.asset import Asset
from bench.files.atomic import unwritable
from bench.files.hashing import file_sha256
from bench.files.http import Answer, RangeError, TransientError, request
from bench.files.lock import file_lock
from bench.files.meter import Meter
from bench.files.partial import PartialFile, Version
from bench.files.pins import Pin, lock_file, set_pin


@dataclass(frozen=True)
class Patience:
    """Limits of waiting for a server.

    Attributes:
        timeout: seconds without a byte after which a connection is given up.
        tries: how often to try again without getting any further.
        pause: seconds before the second try; doubled for each one after it.
    """

    timeout: float = 30.0
    tries: int = 5
    pause: float = 1.0


PATIENCE = Patience()


def fetch(asset: Asset, meter: Meter, patience: Patience = PATIENCE, *, own: bool = False) -> None:
    """Put the asset in its place, verified; a sound file is left as it is, a damaged one replaced.

    Where no hash was published the first download is pinned (`pins`); so is a file that was put
    there by hand. ``own``: the name is the user's, and is remembered.

    Raises:
        BenchError: it cannot be downloaded, or is not what it must be; the bytes so far are kept.
    """
    try:
        if asset.pin and not own and _sound(asset):  # also where nothing can be written
            return
        with file_lock(asset.path):
            if not _sound(asset):
                _download(asset, meter, patience)
            _remember(asset, meter, own)
    except OSError as error:
        raise unwritable(asset.path, error) from None


def _sound(asset: Asset) -> bool:
    pin = asset.pin
    return asset.present() and (not pin or file_sha256(asset.path) == pin)


def _download(asset: Asset, meter: Meter, patience: Patience) -> None:
    if asset.manual:
        raise BenchError(f"{asset.name}: {asset.instructions()}")
    part = PartialFile(asset.path)
    best, failures = part.size, 0
    while True:
        try:
            _go_on(asset, part, meter, patience.timeout)
            break
        except TransientError as error:
            failures, best = (0, part.size) if part.size > best else (failures + 1, best)
            if isinstance(error, RangeError):
                part.discard()
            if failures >= patience.tries:
                raise BenchError(
                    f"{asset.name}: {error}, {failures} times without getting further than "
                    f"{best:,} bytes; run it again later to go on, or fetch {asset.url} and put "
                    f"it at {asset.path}"
                ) from None
            meter.say(f"{asset.name}: {error}; trying again")
            time.sleep(patience.pause * 2 ** min(failures, 5))
    _accept(asset, part)


def _go_on(asset: Asset, part: PartialFile, meter: Meter, timeout: float) -> None:
    """Download what is missing of the part.

    Raises:
        TransientError: it was cut off; what came is kept.
    """
    have, version = part.resumable(asset.url)
    if version is not None and have == version.total:
        return
    with request(asset.url, have, version.validator if version else "", timeout) as answer:
        _check(asset, answer)
        if answer.start not in (0, have):
            raise RangeError("another part came than was asked for")
        have = answer.start
        if not have:
            part.begin(Version(asset.url, answer.validator, answer.total))
        _check_room(asset, (answer.total or 0) - have)
        meter.begin(asset.name, have, answer.total)
        with part.path.open("ab") as file:
            for chunk in answer.chunks():
                file.write(chunk)
                meter.advance(len(chunk))
    if answer.total is not None and part.size < answer.total:
        raise TransientError(f"it was cut off at {part.size:,} of {answer.total:,} bytes")


def _check(asset: Asset, answer: Answer) -> None:
    """Refuse what is known to be wrong before the download, and what no check finds after it."""
    advice = f"fetch {asset.url} yourself and put it at {asset.path}"
    if asset.size is not None and answer.total not in (None, asset.size):
        raise BenchError(
            f"{asset.name}: the server has {answer.total:,} bytes under {asset.url}, not "
            f"{asset.size:,}: it is another file; {advice}"
        )
    if asset.pin:
        return
    if answer.page:
        raise BenchError(f"{asset.name}: {asset.url} is a web page, not the file; {advice}")
    if not answer.whole:
        raise BenchError(
            f"{asset.name}: the server does not say how long the file is, and no sha256 is known: "
            f"a cut could not be told from the end; give --sha256, or {advice}"
        )


def _check_room(asset: Asset, wanted: int) -> None:
    if shutil.disk_usage(asset.path.parent).free < wanted:
        raise OSError(errno.ENOSPC, f"No space left on device for {wanted:,} bytes")


def _accept(asset: Asset, part: PartialFile) -> None:
    """Put the whole file into its place, if it is what it must be."""
    digest, pin = file_sha256(part.path), asset.pin
    if pin and digest != pin:
        part.discard()
        reason = "it was published with" if asset.sha256 else f"{lock_file()} pins"
        raise BenchError(
            f"{asset.name}: what came from {asset.url} has sha256 {digest}, and {reason} {pin}; "
            "nothing of it was kept; run it again in case the transfer was at fault, and ask its "
            "authors if that does not help"
        )
    part.path.replace(asset.path)
    part.discard()


def _remember(asset: Asset, meter: Meter, own: bool) -> None:
    if asset.pin and not own:
        return
    digest, size = asset.digest(), asset.path.stat().st_size
    set_pin(asset.name, Pin(digest, size, asset.url, asset.file, own))
    if not asset.sha256:
        meter.say(f"{asset.name}: pinned to sha256 {digest} from now on ({lock_file()})")
