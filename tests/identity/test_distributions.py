"""Installed distributions: whose files are read, and whose version is enough."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable, Mapping
from importlib import metadata
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_file_location
from pathlib import Path

import pytest

from bench.identity.cache import CodeCache
from bench.identity.host import host_modules
from bench.identity.owners import _installed, _owner, shipped_by
from bench.identity.walk import Identity, identity_of

POINTS = "[scorebench.plugins]\nidt = idt_plugin\n"

Install = Callable[..., metadata.Distribution]


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for installed distributions."""
    folder = tmp_path / "lib/site-packages"
    folder.mkdir(parents=True)
    monkeypatch.syspath_prepend(folder)
    return folder


@pytest.fixture
def install(site: Path) -> Install:
    """Writes what pip would: the files of a wheel, and its metadata."""

    def wheel(
        name: str,
        files: Mapping[str, str],
        *,
        version: str = "1.0",
        requires: str = "",
        record: bool = True,
        listed: tuple[str, ...] = (),
        **extra: str,
    ) -> metadata.Distribution:
        info = site / f"{name.replace('-', '_')}-{version}.dist-info"
        needs = f"Requires-Dist: {requires}\n" if requires else ""
        told = {"METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}"}
        told |= {key.replace("_txt", ".txt").replace("_json", ".json"): extra[key] for key in extra}
        if record:
            names = [*files, *listed, *(f"{info.name}/{item}" for item in told)]
            told["RECORD"] = "".join(f"{item},,\n" for item in names)
        for path, content in {**files, **{f"{info.name}/{k}": v for k, v in told.items()}}.items():
            (site / path).parent.mkdir(parents=True, exist_ok=True)
            (site / path).write_text(content)
        return metadata.Distribution.at(info)

    return wheel


def _identity(module: str, distribution: metadata.Distribution | None = None) -> Identity:
    importlib.invalidate_caches()
    _installed.cache_clear()
    _owner.cache_clear()
    return identity_of([module], CodeCache(host_modules()), shipped_by(distribution))


PLUGIN = {
    "idt_plugin.py": "import idt_core",
    "idt_core.py": "x = 1",
    "idt_extra/__init__.py": "",
    "idt_extra/deep/table.json": "1",
    "idt_data.json": "1",
    "../../share/idt/weights.bin": "1",
}


@pytest.mark.parametrize("edited", PLUGIN)
def test_all_of_a_plugins_distribution(install: Install, site: Path, edited: str) -> None:
    found = install("idt", PLUGIN, entry_points_txt=POINTS)
    before = _identity("idt_plugin", found)
    assert not before.doubts
    assert not before.libraries
    (site / edited).write_text("x = 2")
    assert _identity("idt_plugin", found).code != before.code


def test_what_pip_writes_is_no_part_of_it(install: Install, site: Path) -> None:
    found = install("idt", PLUGIN, entry_points_txt=POINTS, listed=("../../bin/idt",))
    before = _identity("idt_plugin", found)
    (site / "../../bin").mkdir()
    (site / "../../bin/idt").write_text("#!/usr/bin/python")
    (site / "idt-1.0.dist-info/INSTALLER").write_text("uv")
    assert _identity("idt_plugin", found) == before


def test_a_library_is_its_version(install: Install, site: Path) -> None:
    install("idt-lib", {"idt_lib/__init__.py": "x = 1"})
    plugin = install("idt", {"idt_plugin.py": "import idt_lib"}, entry_points_txt=POINTS)
    before = _identity("idt_plugin", plugin)
    assert before.libraries == ("idt-lib 1.0",)
    (site / "idt_lib/__init__.py").write_text("x = 2")
    assert _identity("idt_plugin", plugin) == before
    (site / "idt_lib-1.0.dist-info").rename(site / "idt_lib-1.1.dist-info")
    metadata_file = site / "idt_lib-1.1.dist-info/METADATA"
    metadata_file.write_text(metadata_file.read_text().replace("1.0", "1.1"))
    record = site / "idt_lib-1.1.dist-info/RECORD"
    record.write_text(record.read_text().replace("1.0", "1.1"))
    assert _identity("idt_plugin", plugin).libraries == ("idt-lib 1.1",)


LOCAL = json.dumps({"url": "file:///home/me/lib", "dir_info": {}})


@pytest.mark.parametrize(
    "made",
    [
        {"requires": "scorebench>=0.1"},
        {"entry_points_txt": "[scorebench.plugins]\nother = idt_lib\n"},
        {"direct_url_json": LOCAL},
        {"direct_url_json": json.dumps({"url": "file:///a.whl", "archive_info": {}})},
    ],
)
def test_siblings_and_what_comes_from_a_folder_are_read(
    install: Install, site: Path, made: dict[str, str]
) -> None:
    install("idt-lib", {"idt_lib/__init__.py": "", "idt_lib/a.py": "x = 1"}, **made)
    plugin = install("idt", {"idt_plugin.py": "from idt_lib import a"}, entry_points_txt=POINTS)
    before = _identity("idt_plugin", plugin)
    assert not before.libraries
    (site / "idt_lib/a.py").write_text("x = 2")
    assert _identity("idt_plugin", plugin).code != before.code


def test_a_commit_says_what_a_version_does_not(install: Install) -> None:
    told = {"url": "https://a.org/lib.git", "vcs_info": {"vcs": "git", "commit_id": "abc123"}}
    install("idt-lib", {"idt_lib.py": ""}, direct_url_json=json.dumps(told))
    plugin = install("idt", {"idt_plugin.py": "import idt_lib"}, entry_points_txt=POINTS)
    (library,) = _identity("idt_plugin", plugin).libraries
    assert library.startswith("idt-lib 1.0 ")
    assert "abc123" in library


def test_a_namespace_of_several_distributions(install: Install, site: Path) -> None:
    install("idt-lib", {"idt_lab/lib/__init__.py": "x = 1"})
    files = {"idt_lab/samplers/plugin.py": "import idt_lab.lib, idt_lab.samplers.core"}
    files["idt_lab/samplers/core.py"] = "x = 1"
    plugin = install("idt", files, entry_points_txt=POINTS)
    before = _identity("idt_lab.samplers.plugin", plugin)
    assert before.libraries == ("idt-lib 1.0",)
    (site / "idt_lab/lib/__init__.py").write_text("x = 2")
    assert _identity("idt_lab.samplers.plugin", plugin) == before
    (site / "idt_lab/samplers/core.py").write_text("x = 2")
    assert _identity("idt_lab.samplers.plugin", plugin).code != before.code


def test_files_that_nobody_installed_are_read(install: Install, site: Path) -> None:
    plugin = install("idt", {"idt_plugin.py": "import idt_stray"}, entry_points_txt=POINTS)
    (site / "idt_stray.py").write_text("x = 1")
    before = _identity("idt_plugin", plugin)
    (site / "idt_stray.py").write_text("x = 2")
    assert _identity("idt_plugin", plugin).code != before.code


def test_metadata_without_a_list_of_files(install: Install, site: Path) -> None:
    install("idt-lib", {"idt_odd.py": "x = 1"}, record=False, top_level_txt="idt_odd\n")
    plugin = install("idt", {"idt_plugin.py": "import idt_odd"}, entry_points_txt=POINTS)
    assert _identity("idt_plugin", plugin).libraries == ("idt-lib 1.0",)


def test_editable_by_a_path_file(
    install: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "work/src"
    (source / "idt_lab/samplers").mkdir(parents=True)
    (source / "idt_lab/samplers/plugin.py").write_text("from .core import x")
    (source / "idt_lab/samplers/core.py").write_text("x = 1")
    (source / "idt_lab/table.json").write_text("1")
    plugin = install("idt", {"_editable_impl_idt.pth": str(source)}, entry_points_txt=POINTS)
    monkeypatch.syspath_prepend(source)  # as `site` does with a .pth file
    before = _identity("idt_lab.samplers.plugin", plugin)
    assert not before.doubts
    for edited in ("idt_lab/samplers/core.py", "idt_lab/table.json"):
        (source / edited).write_text("x = 3")
        after = _identity("idt_lab.samplers.plugin", plugin)
        assert after.code != before.code
        before = after


def test_editable_by_a_finder(
    install: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As setuptools does it: top modules are mapped to wherever they lie."""
    places = {name: tmp_path / f"work/lib/{name}.py" for name in ("idt_plugin", "idt_other")}
    places["idt_lib"] = tmp_path / "work/odd name/__init__.py"

    class Finder:
        @staticmethod
        def find_spec(name: str, *_: object) -> ModuleSpec | None:
            return spec_from_file_location(name, places[name]) if name in places else None

    for path in places.values():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x = 1")
    places["idt_plugin"].write_text("from idt_lib import x")
    plugin = install(
        "idt",
        {"__editable___idt_finder.py": "", "__editable__.idt.pth": ""},
        entry_points_txt=POINTS,
        top_level_txt="idt_plugin\nidt_lib\nidt_other\n",
    )
    monkeypatch.setattr(sys, "meta_path", [Finder, *sys.meta_path])
    before = _identity("idt_plugin", plugin)
    assert not before.doubts
    assert {unit for unit, _, _ in before.files} == {"idt_plugin", "idt_lib", "idt_other"}
    for path in places.values():
        path.write_text("from idt_lib import x  # edited")
        after = _identity("idt_plugin", plugin)
        assert after.code != before.code
        before = after


def test_the_hosts_own_distribution_is_not_taken_as_a_whole() -> None:
    assert shipped_by(metadata.distribution("scorebench")) == shipped_by(None)
