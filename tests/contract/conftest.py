"""Strangers' distributions, built and installed with pip into folders of their own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Site:
    """A folder with installed distributions, in front of this environment's own."""

    path: Path

    def bench(self, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        """The command line in ``folder``, seeing these distributions."""
        return subprocess.run(
            [str(Path(sys.executable).with_name("bench")), *arguments],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(self.path), "COLUMNS": "300", "NO_COLOR": "1"},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )


def _install(target: Path, *sources: Path) -> Site:
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"),
            *("--no-build-isolation", "--disable-pip-version-check", "--target", str(target)),
            *map(str, sources),
        ],
        check=True,
        capture_output=True,
        timeout=300,
    )
    return Site(target)


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Site]:
    """Builds and installs the named folders of this one."""

    def install(*names: str) -> Site:
        root = tmp_path_factory.mktemp("strangers")
        for name in names:
            shutil.copytree(HERE / name, root / "source" / name)
        if "evil" in names:  # kept out of the tree, where every tool would stumble over it
            (root / "source" / "evil" / "evil_syntax.py").write_text("def broken(:\n")
        return _install(root / "site", *(root / "source" / name for name in names))

    return install


@pytest.fixture(scope="session")
def installed_from(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], Site]:
    """Builds and installs a folder from anywhere."""

    def install(folder: Path) -> Site:
        return _install(tmp_path_factory.mktemp("site"), folder)

    return install


@pytest.fixture(scope="session")
def stranger(installed: Callable[..., Site]) -> Site:
    """The solver of someone else."""
    return installed("stranger")


@pytest.fixture(scope="session")
def evil(installed: Callable[..., Site]) -> Site:
    """Plugins that break every rule, and two that claim the same name."""
    return installed("evil", "twins/one", "twins/two")


@pytest.fixture(scope="session")
def meddler(installed: Callable[..., Site]) -> Site:
    """Plugins that change the state of their process."""
    return installed("meddler")


@pytest.fixture(scope="session")
def thief(installed: Callable[..., Site]) -> Site:
    """A plugin with a name that the host has already."""
    return installed("twins/thief")


@pytest.fixture(scope="session")
def future(installed: Callable[..., Site]) -> Site:
    """A plugin for a version of the host that does not exist."""
    return installed("future")
