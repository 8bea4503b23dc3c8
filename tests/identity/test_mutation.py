"""Every file that a built-in plugin's number rests on decides the key, and no other file does."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from functools import lru_cache
from importlib import metadata
from pathlib import Path

import pytest

import bench
from bench.identity import content
from bench.identity.cache import CodeCache
from bench.identity.host import NO_NUMBER, ROOTS, core_hash, host_identity, host_modules
from bench.identity.walk import Identity, identity_of
from bench.project import GROUP
from bench.registry import load_registry

HOST = Path(bench.__file__).parent
POINTS = {
    point.name: point.module
    for point in metadata.entry_points(group=GROUP)
    if point.dist is not None and point.dist.name == "scorebench"
}

TRACE = """
import json, sys
import torch, numpy, scipy.linalg, safetensors.torch, pydantic, PIL.Image
found = {}
for name, modules in json.loads(sys.argv[1]).items():
    for loaded in [m for m in sys.modules if m.partition(".")[0].startswith("bench")]:
        del sys.modules[loaded]
    for module in modules:
        __import__(module)
    files = {m: getattr(sys.modules[m], "__file__", None) for m in sys.modules}
    found[name] = {m: f for m, f in files.items() if f and m.startswith("bench")}
print(json.dumps(found))
"""
"""Imports each plugin in an interpreter that knows none, and tells what was loaded."""


@pytest.fixture(scope="module")
def traced() -> Mapping[str, Mapping[str, str]]:
    """The files of this project that are loaded with each plugin, and with the host's roots."""
    wanted = {name: [module] for name, module in POINTS.items()} | {"host": list(ROOTS)}
    done = subprocess.run(
        # -P: the package that these tests import, not the folder that they are run in.
        [sys.executable, "-P", "-c", TRACE, json.dumps(wanted)],
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    found: dict[str, dict[str, str]] = json.loads(done.stdout)
    return found


def _rests_on(modules: Mapping[str, str]) -> Iterator[Path]:
    """The files of plugins that were loaded, and the data beside them."""
    for name, file in modules.items():
        if not name.startswith("bench_"):
            continue
        yield Path(file)
        if Path(file).name == "__init__.py":
            yield from (p for p in Path(file).parent.glob("data/**/*") if p.is_file())


@lru_cache(maxsize=1)
def _cache() -> CodeCache:
    return CodeCache(host_modules())


def _identity(name: str, edited: Path | None = None) -> Identity:
    """The identity of a plugin; after an edit, all that was read before of other files holds."""
    known = _cache()
    if edited is not None:
        sound = {u: c for u, c in known._contents.items() if not edited.is_relative_to(u.place)}
        known = CodeCache(known.known, _contents=sound, _places=known._places)
    return identity_of([POINTS[name]], known)


@pytest.mark.parametrize("name", sorted(POINTS))
def test_any_file_of_a_plugin_decides_its_code(
    name: str, traced: Mapping[str, Mapping[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = _identity(name)
    assert not before.doubts
    files = set(_rests_on(traced[name]))
    assert len(files) >= 2
    read = content.read_bytes
    unchanged = []
    for edited in sorted(files):
        with monkeypatch.context() as patch:
            patch.setattr(
                content, "read_bytes", lambda p, edited=edited: read(p) + b"\n" * (p == edited)
            )
            if _identity(name, edited).code == before.code:
                unchanged.append(edited)
    assert not unchanged


def test_the_hosts_files_decide_the_core(
    traced: Mapping[str, Mapping[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = host_identity.__wrapped__()
    loaded = {name: Path(file) for name, file in traced["host"].items()}
    assert set(loaded) >= {"bench.core.sample", "bench.run.execute", "bench.registry"}
    assert set(loaded) >= {"bench.run.pool", "bench.run.rows", "bench.identity.walk"}
    read = content.read_bytes
    for name in sorted(set(loaded) - NO_NUMBER):
        with monkeypatch.context() as patch:
            patch.setattr(
                content,
                "read_bytes",
                lambda p, edited=loaded[name]: read(p) + b"\n" * (p == edited),
            )
            assert host_identity.__wrapped__().code != before.code, name


def test_no_number_rests_on_reports_and_commands() -> None:
    names = {unit for unit, _, _ in host_identity().files}
    for entry in POINTS:
        names |= {unit for unit, _, _ in _identity(entry).files}
    assert not NO_NUMBER & names
    others = ("report", "compare", "published", "cli", "train", "suites", "scaffold", "testing")
    assert not [name for name in names if name.split(".")[1:2] in [[other] for other in others]]
    assert not [name for name in names if name.startswith("bench.extensions")]


@pytest.mark.parametrize(
    "file",
    [
        "report/page.py",
        "report/tables.py",
        "compare/pairs.py",
        "published/tables.py",
        "cli/main.py",
    ],
)
def test_a_report_decides_no_key(file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither it nor the documentation is ever read for one."""
    seen: list[Path] = []
    read, digest = content.read_bytes, content.digest
    monkeypatch.setattr(content, "read_bytes", lambda p: (seen.append(p), read(p))[1])
    monkeypatch.setattr(content, "digest", lambda p: (seen.append(p), digest(p))[1])
    identity = host_identity.__wrapped__()
    identity_of([POINTS["dpm"]], CodeCache(host_modules()))
    assert identity == host_identity()
    assert HOST / "core/sample.py" in seen
    assert (HOST / file).is_file()
    assert HOST / file not in seen
    assert not [path for path in seen if "docs" in path.parts]


def test_the_modules_left_out_are_there() -> None:
    for name in NO_NUMBER:
        assert (HOST.parent / name.replace(".", "/")).with_suffix(".py").is_file()


@pytest.mark.parametrize("plugin", sorted(POINTS))
def test_families_rest_on_no_siblings(plugin: str) -> None:
    own = f"bench_plugins.{plugin}"
    units = {unit for unit, _, _ in _identity(plugin).files}
    assert own in units
    assert not [u for u in units if u.startswith("bench_plugins.") and u != own]


def test_the_registry_tells_the_same() -> None:
    for entry in load_registry().entries:
        if entry.source.distribution == "scorebench":
            assert entry.source.code == _identity(entry.source.entry_point).code[:16]
            assert not entry.source.doubt
    assert core_hash().endswith(host_identity().code[:16])
