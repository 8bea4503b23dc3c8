"""Folders of the hub, from a server that plays it; no pickles, no network where it is forbidden."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from bench.api import BenchError, HubFolder, NeedsAssets, hub_folder
from bench.files.contents import contents
from bench.files.offline import network, offline
from bench_plugins.checkpoints.diffusers_unet import DiffusersUnet

pytest.importorskip("huggingface_hub")

ONE, TWO = "1" * 40, "2" * 40


@dataclass
class Hub:
    """Repositories by name: the commit of `main`, and files by commit."""

    main: dict[str, str] = field(default_factory=dict)
    files: dict[str, dict[str, dict[str, bytes]]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def put(self, repo: str, commit: str, files: dict[str, bytes]) -> None:
        self.main[repo] = commit
        self.files.setdefault(repo, {})[commit] = files


def _git(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def _entry(path: str, content: bytes) -> dict[str, object]:
    large = {
        "lfs": {"oid": hashlib.sha256(content).hexdigest(), "size": len(content), "pointerSize": 9}
    }
    plain = {"type": "file", "oid": _git(content), "size": len(content), "path": path}
    return {**plain, **large} if path.endswith((".safetensors", ".bin")) else plain


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            pass

        def do_HEAD(self) -> None:
            self._go(head=True)

        def do_GET(self) -> None:
            self._go(head=False)

        def _go(self, head: bool) -> None:
            path = self.path.partition("?")[0]
            hub.asked.append(f"{self.command} {path}")
            about = re.fullmatch(r"/api/models/(\w+/[\w-]+)/(revision|tree)/(\w+)", path)
            file = re.fullmatch(r"/(\w+/[\w-]+)/resolve/(\w+)/(.+)", path)
            repo = (about or file or [None, ""])[1]
            revision = about[3] if about else file[2] if file else ""
            commit = hub.main.get(repo, "") if revision == "main" else revision
            files = hub.files.get(repo, {}).get(commit)
            if repo not in hub.main:
                self._send(404, b"", {"X-Error-Code": "RepoNotFound"}, head)
            elif files is None:
                self._send(404, b"", {"X-Error-Code": "RevisionNotFound"}, head)
            elif about:
                listed = [_entry(name, content) for name, content in files.items()]
                told = {"id": repo, "sha": commit, "siblings": [{"rfilename": n} for n in files]}
                body = json.dumps(told if about[2] == "revision" else listed).encode()
                self._send(200, body, {"Content-Type": "application/json"}, head)
            elif file and file[3] in files:
                content = files[file[3]]
                entry: Any = _entry(file[3], content)
                etag = entry["lfs"]["oid"] if "lfs" in entry else entry["oid"]
                self._send(200, content, {"ETag": f'"{etag}"', "X-Repo-Commit": commit}, head)
            else:
                self._send(404, b"", {"X-Error-Code": "EntryNotFound"}, head)

        def _send(self, status: int, body: bytes, headers: dict[str, str], head: bool) -> None:
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            if not head:
                self.wfile.write(body)

    hub = Hub()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


FILES = {
    "config.json": b'{"_class_name": "UNet2DModel", "sample_size": 32}',
    "scheduler/scheduler_config.json": b'{"_class_name": "DDPMScheduler"}',
    "diffusion_pytorch_model.safetensors": b"weights",
    "diffusion_pytorch_model.bin": b"a pickle",
    "code.py": b"import os",
}


def test_a_folder_arrives_without_pickles_and_code(hub: Hub, cache: Path) -> None:
    hub.put("google/ddpm", ONE, FILES)
    folder = hub_folder("google/ddpm")
    assert folder.is_relative_to(cache)
    assert folder.name == ONE
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert found == {*FILES} - {"diffusion_pytorch_model.bin", "code.py"}
    assert not any(".bin" in asked or ".py" in asked for asked in hub.asked)
    asked = len(hub.asked)
    assert hub_folder("google/ddpm") == folder
    assert len(hub.asked) == asked  # nobody was asked again


def test_a_branch_stays_what_it_was_until_it_is_fetched_again(hub: Hub) -> None:
    hub.put("google/ddpm", ONE, FILES)
    first = HubFolder("google/ddpm")
    first.fetch()
    digest = first.digest()
    hub.put("google/ddpm", TWO, {**FILES, "diffusion_pytorch_model.safetensors": b"others"})
    assert (hub_folder("google/ddpm").name, first.commit) == (ONE, ONE)
    assert first.fetch().name == TWO
    assert first.digest() != digest
    assert HubFolder("google/ddpm", ONE).digest() == digest  # still there under its commit
    assert HubFolder("google/ddpm", ONE).name == f"hub:google/ddpm@{ONE}"


def test_nothing_is_asked_offline(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.put("google/ddpm", ONE, FILES)
    monkeypatch.setenv("BENCH_OFFLINE", "1")
    with pytest.raises(
        BenchError, match=r"run `bench models fetch hub:google/ddpm`, or copy .*ddpm"
    ):
        hub_folder("google/ddpm")
    assert hub.asked == []
    monkeypatch.setenv("BENCH_OFFLINE", "0")
    folder = hub_folder("google/ddpm")
    monkeypatch.setenv("BENCH_OFFLINE", "1")
    asked = len(hub.asked)
    assert hub_folder("google/ddpm") == folder
    assert len(hub.asked) == asked


@pytest.mark.parametrize("before", ["", "0", "1"])
def test_the_network_is_forbidden_for_a_while(before: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if before:
        monkeypatch.setenv("BENCH_OFFLINE", before)
    with network(allowed=False):
        assert offline()
    assert offline() == (before == "1")
    with network(allowed=True):
        assert offline() == (before == "1")


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("hub:google/none", "the hub has no such folder"),
        (f"hub:google/ddpm@{TWO}", "knows no revision '2222|the hub has no such"),
        ("hub:google/pickles", "holds no safetensors; pickles .* are not read"),
        ("hub:google/empty", "is not in the cache|holds no config"),
        ("hub:google/weights", r"holds no config\.json"),
    ],
)
def test_what_cannot_be_had_is_told(path: str, message: str, hub: Hub) -> None:
    hub.put("google/ddpm", ONE, FILES)
    pickles = {k: v for k, v in FILES.items() if not k.endswith(".safetensors")}
    hub.put("google/pickles", ONE, pickles)
    hub.put("google/empty", ONE, {"README.md": b"nothing"})
    hub.put("google/weights", ONE, {"a.safetensors": b"weights"})
    folder = HubFolder.parse(path)
    assert folder is not None
    with pytest.raises(BenchError, match=message):
        folder.fetch()


def test_a_hub_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(BenchError, match=r"the download failed .*copy .* from a machine that has"):
        hub_folder("google/ddpm")


@pytest.mark.parametrize("file", ["diffusion_pytorch_model.safetensors", "config.json"])
def test_a_damaged_file_is_told(file: str, hub: Hub) -> None:
    hub.put("google/ddpm", ONE, FILES)
    folder = HubFolder("google/ddpm")
    target = (folder.fetch() / file).resolve()
    target.write_bytes(b"x" * target.stat().st_size)
    with pytest.raises(BenchError, match=rf"the file is damaged; delete {re.escape(str(target))}"):
        folder.locate()


@pytest.mark.parametrize("note", ["", "\n", "../..", "."])
def test_a_damaged_note_of_the_commit_is_no_folder(note: str, hub: Hub) -> None:
    hub.put("google/ddpm", ONE, FILES)
    folder = HubFolder("google/ddpm")
    assert folder.fetch().name == folder.commit == ONE
    (folder.place / "refs" / "main").write_text(note)
    assert folder.commit == "main"
    assert not folder.present()
    with pytest.raises(BenchError, match=r"is missing .*not in the cache"):
        folder.locate()


def test_a_copied_folder_is_found(hub: Hub, cache: Path, tmp_path: Path) -> None:
    hub.put("google/ddpm", ONE, FILES)
    hub_folder("google/ddpm")
    shutil.copytree(cache / "hub", tmp_path / "stick")  # links become files
    shutil.rmtree(cache)
    shutil.copytree(tmp_path / "stick", cache / "hub")
    asked = len(hub.asked)
    assert HubFolder("google/ddpm").locate().name == ONE
    assert len(hub.asked) == asked


@pytest.mark.parametrize(
    "path", ["hub:", "hub:google", "hub:a/b/c", "hub:../b", "hub:a/..", "hub:a/b@", "hub:a/b@../c"]
)
def test_names_that_are_none(path: str) -> None:
    with pytest.raises(BenchError, match="must be hub:OWNER/NAME"):
        HubFolder.parse(path)


def test_variants_shards_and_further_parts_arrive(hub: Hub) -> None:
    stem = "unet/diffusion_pytorch_model"
    wanted = {
        **FILES,
        "model_index.json": b"{}",
        f"{stem}.fp16.safetensors": b"weights",
        f"{stem}.safetensors.index.json": b"{}",
        f"{stem}-00001-of-00002.safetensors": b"weights",
        f"{stem}.safetensors.index.fp16.json": b"{}",
        f"{stem}.fp16-00001-of-00002.safetensors": b"weights",
        "vqvae/config.json": b"{}",  # so that it can be refused
    }
    hub.put("google/ddpm", ONE, wanted)
    folder = hub_folder("google/ddpm")
    for name in wanted:
        assert (folder / name).is_file() == (not name.endswith((".bin", ".py"))), name


def test_the_model_reads_folders_of_the_hub(hub: Hub) -> None:
    hub.put("google/ddpm", ONE, FILES)
    model = DiffusersUnet(path="hub:google/ddpm")
    assert isinstance(model, NeedsAssets)
    (needed,) = model.assets()
    assert not needed.present()
    with pytest.raises(BenchError, match="run `bench models fetch hub:google/ddpm`"):
        contents(model)
    assert hub.asked == []  # a model never downloads
    HubFolder("google/ddpm").fetch()
    pinned = DiffusersUnet(path=f"hub:google/ddpm@{ONE}")
    assert contents(model) == contents(pinned)
    assert list(DiffusersUnet(path="folder").assets()) == []
