"""Downloads against a site that is well, slow, broken, changed or gone."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from bench.api import Asset, BenchError
from bench.files import fetch as fetching
from bench.files.asset import own_assets
from bench.files.fetch import Patience, fetch
from bench.files.meter import Silent
from bench.files.partial import PartialFile
from bench.files.pins import lock_file, pin_of

CONTENT = random.Random(1).randbytes(3_000_000)
SHA = hashlib.sha256(CONTENT).hexdigest()
QUICK = Patience(timeout=2.0, tries=3, pause=0.01)


@dataclass
class Recorder:
    """A meter that remembers."""

    begun: list[tuple[str, int, int | None]] = field(default_factory=list)
    count: int = 0
    said: list[str] = field(default_factory=list)

    def begin(self, name: str, done: int, total: int | None) -> None:
        self.begun.append((name, done, total))

    def advance(self, count: int) -> None:
        self.count += count

    def say(self, line: str) -> None:
        self.said.append(line)


def _asset(url: str, sha256: str = SHA, **more: Any) -> Asset:
    return Asset("net", url, "models/net.bin", sha256, **more)


def _left(asset: Asset) -> set[str]:
    folder = asset.path.parent
    return {path.name for path in folder.iterdir()} - {"net.bin.lock"} if folder.exists() else set()


def test_a_file_arrives_whole(site: Any, served: Any) -> None:
    asset = _asset(site.put("net.bin", served(CONTENT)), size=len(CONTENT))
    meter = Recorder()
    fetch(asset, meter, QUICK)
    assert asset.locate().read_bytes() == CONTENT
    assert meter.begun == [("net", 0, len(CONTENT))]
    assert meter.count == len(CONTENT)
    assert _left(asset) == {"net.bin"}
    assert not lock_file().exists()  # a published hash needs no pin
    fetch(asset, meter, QUICK)
    assert len(site.asked) == 1  # what is sound is not fetched again


def test_an_empty_file_arrives(site: Any, served: Any) -> None:
    asset = _asset(site.put("net.bin", served(b"")), hashlib.sha256(b"").hexdigest())
    fetch(asset, Silent(), QUICK)
    assert asset.locate().read_bytes() == b""


@pytest.mark.parametrize("status", [404, 403, 410])
def test_a_refusal_is_final(status: int, site: Any, served: Any) -> None:
    asset = _asset(site.put("net.bin", served(CONTENT, statuses=[status])))
    with pytest.raises(BenchError, match=rf"net\.bin: the server says {status} .*check the addr"):
        fetch(asset, Silent(), QUICK)
    assert len(site.asked) == 1
    assert _left(asset) == set()


def test_a_busy_server_is_asked_again(site: Any, served: Any) -> None:
    asset = _asset(site.put("net.bin", served(CONTENT, statuses=[503, 429])))
    meter = Recorder()
    fetch(asset, meter, QUICK)
    assert asset.locate()
    assert "the server says 503" in meter.said[0]


def test_a_server_that_stays_busy_is_given_up(site: Any, served: Any) -> None:
    asset = _asset(site.put("net.bin", served(CONTENT, statuses=[500] * 9)))
    with pytest.raises(BenchError, match=r"the server says 500 .*3 times .*run it again later"):
        fetch(asset, Silent(), QUICK)
    assert len(site.asked) == 3


def test_what_is_cut_off_is_resumed(site: Any, served: Any) -> None:
    # More cuts than tries: each gets further, so none counts.
    cuts = [500_000, 500_000, 1, 500_000, 500_000]
    asset = _asset(site.put("net.bin", served(CONTENT, cuts=cuts)))
    meter = Recorder()
    fetch(asset, meter, QUICK)
    assert asset.locate().read_bytes() == CONTENT
    assert site.ranges()[:4] == ["", "bytes=500000-", "bytes=1000000-", "bytes=1000001-"]
    assert meter.count == len(CONTENT)
    assert _left(asset) == {"net.bin"}


def test_what_is_cut_off_for_ever_is_given_up_and_kept(site: Any, served: Any) -> None:
    url = site.put("net.bin", served(CONTENT, ranges=False, always_cut=1_000_000))
    asset = _asset(url)
    message = r"cut off at 1,000,000 of 3,000,000 bytes, 3 times .*put it at .*net\.bin"
    with pytest.raises(BenchError, match=message):
        fetch(asset, Silent(), QUICK)
    assert _left(asset) == {"net.bin.part", "net.bin.part.json"}
    site.put("net.bin", served(CONTENT))
    fetch(asset, Silent(), QUICK)
    assert site.ranges()[-1] == "bytes=1000000-"
    assert asset.locate().read_bytes() == CONTENT


def test_a_server_that_hangs_is_given_up(site: Any, served: Any) -> None:
    asset = _asset(site.put("net.bin", served(CONTENT, hang=60.0)))
    with pytest.raises(BenchError, match="timed out"):
        fetch(asset, Silent(), Patience(timeout=0.2, tries=1, pause=0.01))
    assert PartialFile(asset.path).size == len(CONTENT) - 1  # all but the byte that it waited for


def test_a_server_that_is_not_there(site: Any) -> None:
    asset = _asset("http://127.0.0.1:9/net.bin")
    with pytest.raises(BenchError, match=r"no answer \(Connection refused\), 3 times"):
        fetch(asset, Silent(), QUICK)


def test_a_name_that_nobody_has(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    asset = _asset("http://no-such-host.invalid/net.bin")
    with pytest.raises(BenchError, match="is this machine offline"):
        fetch(asset, Silent(), QUICK)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://example.org/x", "net.bin"])
def test_other_addresses_are_refused(url: str) -> None:
    with pytest.raises(BenchError, match="must begin with https://"):
        fetch(_asset(url), Silent(), QUICK)


def test_another_file_than_published_is_not_kept(site: Any, served: Any) -> None:
    asset = _asset(site.put("net.bin", served(b"other" + CONTENT)))
    with pytest.raises(BenchError, match=r"has sha256 .*published with .*nothing of it was kept"):
        fetch(asset, Silent(), QUICK)
    assert _left(asset) == set()
    site.put("net.bin", served(CONTENT))
    fetch(asset, Silent(), QUICK)
    assert site.ranges() == ["", ""]  # the second begins anew
    assert asset.locate()


def test_a_file_of_another_size_is_not_downloaded(site: Any, served: Any) -> None:
    asset = _asset(site.put("net.bin", served(CONTENT)), size=5)
    with pytest.raises(BenchError, match=r"has 3,000,000 bytes .*not 5: it is another file"):
        fetch(asset, Silent(), QUICK)
    assert _left(asset) == set()


def test_a_damaged_file_is_replaced(site: Any, served: Any) -> None:
    asset = _asset(site.put("net.bin", served(CONTENT)))
    asset.path.parent.mkdir(parents=True)
    asset.path.write_bytes(CONTENT[:-1])
    with pytest.raises(BenchError, match="damaged or another one"):
        asset.locate()
    fetch(asset, Silent(), QUICK)
    assert asset.locate().read_bytes() == CONTENT


def _cut_at(site: Any, served: Any, size: int, **more: Any) -> Asset:
    """An asset of which ``size`` bytes are here already."""
    # Once, and then nothing; or always, where each try begins anew.
    behaviour = {"always_cut": size} if more else {"cuts": [size, *[0] * 9]}
    asset = _asset(site.put("net.bin", served(CONTENT, **behaviour, **more)))
    with pytest.raises(BenchError):
        fetch(asset, Silent(), Patience(2.0, 1, 0.01))
    site.asked.clear()
    return asset


def test_a_file_that_changed_meanwhile_starts_anew(site: Any, served: Any) -> None:
    asset = _cut_at(site, served, 1000)
    changed = bytes(reversed(CONTENT))
    url = site.put("net.bin", served(changed, etag='"two"'))
    asset = _asset(url, hashlib.sha256(changed).hexdigest())
    fetch(asset, Silent(), QUICK)
    assert site.ranges() == ["bytes=1000-"]
    assert asset.locate().read_bytes() == changed


def test_a_server_without_ranges_starts_anew(site: Any, served: Any) -> None:
    asset = _cut_at(site, served, 1000, ranges=False)
    site.put("net.bin", served(CONTENT, ranges=False))
    fetch(asset, Silent(), QUICK)
    assert site.ranges() == ["bytes=1000-"]
    assert asset.locate().read_bytes() == CONTENT


@pytest.mark.parametrize("etag", ["", 'W/"weak"'])
def test_what_cannot_be_told_apart_is_not_resumed(etag: str, site: Any, served: Any) -> None:
    asset = _cut_at(site, served, 1000, etag=etag)
    site.put("net.bin", served(CONTENT, etag=etag))
    fetch(asset, Silent(), QUICK)
    assert site.ranges() == [""]
    assert asset.locate().read_bytes() == CONTENT


def test_a_part_that_is_too_long_starts_anew(site: Any, served: Any) -> None:
    asset = _cut_at(site, served, 1000)
    PartialFile(asset.path).path.write_bytes(CONTENT + b"more")
    site.put("net.bin", served(CONTENT))
    fetch(asset, Silent(), QUICK)
    assert site.ranges() == [""]
    assert asset.locate().read_bytes() == CONTENT


def test_a_part_that_the_server_does_not_have_starts_anew(site: Any, served: Any) -> None:
    asset = _cut_at(site, served, 1000)
    note = PartialFile(asset.path).note
    note.write_text(json.dumps({**json.loads(note.read_text()), "total": None}))
    PartialFile(asset.path).path.write_bytes(CONTENT + b"more")
    site.put("net.bin", served(CONTENT))
    fetch(asset, Silent(), QUICK)
    assert site.ranges() == ["bytes=3000004-", ""]
    assert asset.locate().read_bytes() == CONTENT


def test_a_part_that_is_complete_needs_no_server(site: Any, served: Any) -> None:
    asset = _cut_at(site, served, 1000)
    PartialFile(asset.path).path.write_bytes(CONTENT)
    fetch(asset, Silent(), QUICK)
    assert site.asked == []
    assert asset.locate().read_bytes() == CONTENT


def test_a_note_of_nonsense_starts_anew(site: Any, served: Any) -> None:
    asset = _cut_at(site, served, 1000)
    PartialFile(asset.path).note.write_text('{"url": 3')
    site.put("net.bin", served(CONTENT))
    fetch(asset, Silent(), QUICK)
    assert site.ranges() == [""]
    assert asset.locate()


def test_redirects_are_followed(site: Any, served: Any) -> None:
    site.put("real.bin", served(CONTENT, cuts=[1000]))
    asset = _asset(site.put("net.bin", served(to=f"{site.url}/real.bin")))
    fetch(asset, Silent(), QUICK)
    assert site.asked == [
        ("/net.bin", ""),
        ("/real.bin", ""),
        ("/net.bin", "bytes=1000-"),
        ("/real.bin", "bytes=1000-"),
    ]
    assert asset.locate()


def test_a_redirect_in_a_circle_ends(site: Any, served: Any) -> None:
    asset = _asset(site.put("net.bin", served(to=f"{site.url}/net.bin")))
    with pytest.raises(BenchError, match="the server says 302"):
        fetch(asset, Silent(), QUICK)


def test_no_redirect_leaves_encryption() -> None:
    from urllib.request import Request

    from bench.files.http import _Redirects

    def lead(start: str, end: str) -> object:
        headers: Any = {}
        return _Redirects().redirect_request(Request(start), Any, 302, "", headers, end)

    with pytest.raises(BenchError, match="not encrypted"):
        lead("https://a.org/x", "http://a.org/x")
    assert lead("https://a.org/x", "https://b.org/x")
    assert lead("http://a.org/x", "https://b.org/x")


def test_the_first_download_pins_what_has_no_published_hash(site: Any, served: Any) -> None:
    asset = _asset(site.put("net.bin", served(CONTENT)), "")
    meter = Recorder()
    fetch(asset, meter, QUICK)
    assert asset.pin == SHA
    assert f"pinned to sha256 {SHA}" in meter.said[0]
    pin = pin_of("net")
    assert pin is not None
    assert (pin.size, pin.url, pin.own) == (len(CONTENT), asset.url, False)
    # The file changes here: told.
    asset.path.write_bytes(b"changed")
    with pytest.raises(BenchError, match=rf"not {SHA}: the file is damaged"):
        asset.locate()
    # It changes there: told, and not taken.
    site.put("net.bin", served(b"changed", etag='"two"'))
    with pytest.raises(BenchError, match=rf"models\.lock\.json pins {SHA}; nothing"):
        fetch(asset, Silent(), QUICK)
    site.put("net.bin", served(CONTENT))
    fetch(asset, Silent(), QUICK)
    assert asset.locate().read_bytes() == CONTENT


def test_a_file_put_there_by_hand_is_pinned(site: Any) -> None:
    asset = _asset("https://example.org/page", "", manual="take the checkpoint")
    message = (
        r"no program can download it: take the checkpoint from https://example\.org/page and put"
    )
    with pytest.raises(BenchError, match=message):
        fetch(asset, Silent(), QUICK)
    asset.path.write_bytes(CONTENT)
    assert asset.pin == ""
    fetch(asset, Silent(), QUICK)
    assert asset.pin == SHA


def test_a_web_page_is_not_pinned(site: Any, served: Any) -> None:
    url = site.put("net.bin", served(b"<html>log in</html>", kind="text/html; charset=utf-8"))
    with pytest.raises(BenchError, match="is a web page, not the file"):
        fetch(_asset(url, ""), Silent(), QUICK)
    assert not lock_file().exists()


def test_a_file_of_unknown_length_is_not_pinned(site: Any, served: Any) -> None:
    url = site.put("net.bin", served(CONTENT, length=False))
    with pytest.raises(BenchError, match="a cut could not be told from the end"):
        fetch(_asset(url, ""), Silent(), QUICK)
    fetch(_asset(url), Silent(), QUICK)  # a hash tells
    site.put("net.bin", served(CONTENT, length=False, always_cut=1000))
    other = Asset("other", url, "models/other.bin", SHA)
    with pytest.raises(BenchError, match="nothing of it was kept"):
        fetch(other, Silent(), QUICK)


def test_a_lock_file_of_nonsense_is_told(cache: Path) -> None:
    cache.mkdir(parents=True)
    for text in ("{", "[]", '{"net": {"sha256": 3}}', '{"net": 3}'):
        lock_file().write_text(text)
        with pytest.raises(BenchError, match=r"models\.lock\.json: is no list of pinned files"):
            pin_of("net")


@pytest.mark.parametrize(
    "change", [{"file": "../../x"}, {"file": "/x"}, {"file": "a\0b"}, {"sha256": "zz"}]
)
def test_a_lock_file_that_leads_out_of_the_cache_is_told(
    change: dict[str, str], cache: Path
) -> None:
    pin = {"sha256": SHA, "size": 1, "url": "http://x", "file": "own/x", "own": True}
    cache.mkdir(parents=True)
    lock_file().write_text(json.dumps({"x": {**pin, **change}}))
    with pytest.raises(BenchError, match=r"models\.lock\.json: is no list of pinned files"):
        own_assets()


def test_a_cache_that_is_a_file_is_told(cache: Path) -> None:
    cache.parent.mkdir(parents=True, exist_ok=True)
    cache.write_text("")
    with pytest.raises(BenchError, match=r"cannot be read .*set BENCH_CACHE to a folder"):
        own_assets()


def _no_room(*_: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_full_disk_is_told_before_the_download(
    site: Any, served: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asset = _asset(site.put("net.bin", served(CONTENT)))
    usage = shutil.disk_usage("/")._replace(free=len(CONTENT) - 1)
    monkeypatch.setattr(fetching.shutil, "disk_usage", lambda path: usage)
    with pytest.raises(BenchError, match=r"No space left .*3,000,000 bytes.*make room, or set BE"):
        fetch(asset, Silent(), QUICK)


def test_a_disk_that_fills_up_keeps_what_came(
    site: Any, served: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asset = _asset(site.put("net.bin", served(CONTENT)))
    meter = Recorder()
    with monkeypatch.context() as patch:
        patch.setattr(meter, "advance", _no_room)  # after the first chunk was written
        with pytest.raises(BenchError, match=r"net\.bin: cannot be written \(No space left"):
            fetch(asset, meter, QUICK)
    kept = PartialFile(asset.path).size
    assert kept > 0
    fetch(asset, Silent(), QUICK)
    assert site.ranges() == ["", f"bytes={kept}-"]
    assert asset.locate().read_bytes() == CONTENT


def test_a_folder_that_cannot_be_made(cache: Path, site: Any, served: Any) -> None:
    cache.mkdir()
    (cache / "models").write_text("a file in the place of the folder")
    asset = _asset(site.put("net.bin", served(CONTENT)))
    with pytest.raises(BenchError, match=r"cannot be written .*set BENCH_CACHE"):
        fetch(asset, Silent(), QUICK)
    assert site.asked == []


_CHILD = """
import sys
from bench.files.asset import Asset
from bench.files.fetch import Patience, fetch
from bench.files.meter import Silent
url, sha = sys.argv[1:]
fetch(Asset("net", url, "models/net.bin", sha), Silent(), Patience(60.0, 3, 0.01))
"""


def _child(asset: Asset) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", _CHILD, asset.url, asset.sha256])


def test_a_killed_download_is_resumed(site: Any, served: Any) -> None:
    asset = _asset(site.put("net.bin", served(CONTENT, hang=60.0)))
    child = _child(asset)
    try:
        part = PartialFile(asset.path)
        end = time.monotonic() + 60
        while part.size < 1_000_000 and time.monotonic() < end:
            time.sleep(0.01)
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait()
    assert part.size >= 1_000_000
    assert not asset.present()
    kept = part.size
    site.put("net.bin", served(CONTENT))
    fetch(asset, Silent(), QUICK)
    assert site.ranges() == ["", f"bytes={kept}-"]
    assert asset.locate().read_bytes() == CONTENT


def test_two_processes_download_once(site: Any, served: Any) -> None:
    asset = _asset(site.put("net.bin", served(CONTENT)))
    children = [_child(asset) for _ in range(2)]
    assert [child.wait(60) for child in children] == [0, 0]
    assert len(site.asked) == 1
    assert asset.locate().read_bytes() == CONTENT


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "../net"},
        {"name": ""},
        {"file": "/etc/passwd"},
        {"file": "../net.bin"},
        {"file": ""},
        {"sha256": "abc"},
    ],
)
def test_an_asset_stays_in_the_cache(wrong: dict[str, str]) -> None:
    fields = {"name": "net", "url": "https://example.org/x", "file": "models/x", "sha256": ""}
    with pytest.raises(ValueError, match=r"name|cache folder|sha256"):
        Asset(**{**fields, **wrong})
