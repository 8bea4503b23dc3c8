"""Folders of the Hugging Face hub: configurations and safetensors, never pickles or code.

`hub:OWNER/NAME` or `hub:OWNER/NAME@REVISION` as a path names one; the revision is a branch, a tag
or a commit. Downloads are huggingface_hub's (extra `diffusers`); they lie in ``hub`` in the cache
folder, in its own layout, so that a folder that was copied there from another machine is found.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.core.errors import BenchError
from bench.files.cache import cache_folder
from bench.files.errors import NotFetchedError
from bench.files.hashing import file_sha256
from bench.files.offline import offline

HUB = "hub:"
"""The beginning of a path in YAML that is a folder of the hub."""

PATTERNS = ("*config.json", "model_index.json", "*.safetensors", "*.safetensors.index*.json")
"""The files of a folder that are downloaded: what a diffusers network needs, of every variant."""

_NAME = re.compile(r"(?P<repo>[\w-][\w.-]*/[\w-][\w.-]*)(@(?P<revision>[\w.-][\w./-]*))?", re.ASCII)


def hub_folder(repo: str, revision: str = "main", patterns: Sequence[str] = PATTERNS) -> Path:
    """Return the folder of a hub repository on this machine, downloaded if it is not there.

    Under BENCH_OFFLINE nothing is downloaded. The folder's name is the commit that it is of.

    Raises:
        BenchError: it cannot be had; says what to fetch and where to put it.
    """
    folder = HubFolder(repo, revision, tuple(patterns))
    if not folder.present() and not offline():
        return folder.fetch()
    return folder.locate()


@dataclass(frozen=True)
class HubFolder:
    """A folder of the hub.

    Attributes:
        repo: OWNER/NAME.
        revision: branch, tag or commit; what a branch was at the first download stays.
        patterns: the files that are taken.
    """

    repo: str
    revision: str = "main"
    patterns: tuple[str, ...] = PATTERNS

    @staticmethod
    def parse(path: str) -> HubFolder | None:
        """Return the folder that a path in YAML names; None where it names none.

        Raises:
            BenchError: it begins as one and is none.
        """
        if not path.startswith(HUB):
            return None
        match = _NAME.fullmatch(path.removeprefix(HUB))
        if match is None or ".." in path:
            raise BenchError(f"'{path}': must be {HUB}OWNER/NAME or {HUB}OWNER/NAME@REVISION")
        return HubFolder(match["repo"], match["revision"] or "main")

    @property
    def name(self) -> str:
        """The name that users write."""
        return f"{HUB}{self.repo}" + ("" if self.revision == "main" else f"@{self.revision}")

    @property
    def place(self) -> Path:
        """The folder of its snapshots in the cache."""
        return cache_folder() / "hub" / f"models--{self.repo.replace('/', '--')}"

    @property
    def path(self) -> Path:
        """The folder of its commit, which may be missing."""
        snapshots = self.place / "snapshots"
        try:
            commit = (self.place / "refs" / self.revision).read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError):
            return snapshots / self.revision
        # A damaged note, such as an empty one, names no folder.
        return snapshots / (commit if commit.isalnum() else self.revision)

    @property
    def commit(self) -> str:
        """The commit that is in the cache: pin it as `hub:OWNER/NAME@COMMIT`."""
        return self.path.name

    def files(self) -> list[Path]:
        """Return the files that are there."""
        return sorted(path for path in self.path.rglob("*") if path.is_file())

    def present(self) -> bool:
        """Tell whether a configuration and weights are there, damaged or not."""
        return not self._gap()

    def locate(self) -> Path:
        """Return the folder once its files are verified; the network is not used.

        Raises:
            BenchError: it is missing or damaged; says what to fetch and where to put it.
        """
        gap = self._gap()
        if gap:
            raise NotFetchedError(self.missing(gap))
        for file in self.files():
            _verify(file, self.name)
        return self.path

    def digest(self) -> str:
        """Return the sha256 over names and content of its files.

        Raises:
            BenchError: it is missing or damaged.
        """
        folder = self.locate()
        lines = [f"{f.relative_to(folder).as_posix()} {file_sha256(f)}\n" for f in self.files()]
        return hashlib.sha256("".join(lines).encode()).hexdigest()

    def fetch(self, quiet: bool = True) -> Path:
        """Download what is missing, or what its branch has become, and verify it.

        Raises:
            BenchError: the hub cannot be reached, has no such folder, or has no safetensors.
        """
        with _progress(quiet), _translate_errors(self):
            _library().snapshot_download(
                self.repo,
                revision=self.revision,
                cache_dir=cache_folder() / "hub",
                allow_patterns=list(self.patterns),
                endpoint=os.environ.get("HF_ENDPOINT") or None,
            )
        return self.locate()

    def missing(self, reason: str = "it is not in the cache") -> str:
        """Return what to tell a user who does not have it."""
        return (
            f"{self.name} is missing ({reason}); run `bench models fetch {self.name}`, or copy "
            f"{self.place} from a machine that has it"
        )

    def _gap(self) -> str:
        names = [file.name for file in self.files()]
        if not names:
            return "it is not in the cache"
        if "config.json" not in names:
            return f"{self.path} holds no config.json"
        if not any(name.endswith(".safetensors") for name in names):
            return (
                f"{self.path} holds no safetensors; pickles (.bin) are not read: convert them "
                "with diffusers' save_pretrained, and name that folder"
            )
        return ""


def _library() -> Any:
    try:
        import huggingface_hub.errors
        import huggingface_hub.utils
    except ImportError as error:
        raise BenchError(
            f"huggingface_hub cannot be imported ({error}); pip install scorebench[diffusers]"
        ) from None
    return huggingface_hub


@contextmanager
def _progress(quiet: bool) -> Iterator[None]:
    utils = _library().utils
    if not quiet or utils.are_progress_bars_disabled():
        yield
        return
    utils.disable_progress_bars()
    try:
        yield
    finally:
        utils.enable_progress_bars()


@contextmanager
def _translate_errors(folder: HubFolder) -> Iterator[None]:
    errors = _library().errors
    gone = f"{folder.name}: the hub has no such folder, or it is not public"
    try:
        yield
    except BenchError:
        raise
    except errors.GatedRepoError:
        raise BenchError(
            f"{folder.name}: its owner wants you to ask first; do so on the hub's page, run "
            "`hf auth login`, and try again"
        ) from None
    except errors.RepositoryNotFoundError:
        raise BenchError(f"{gone}; check OWNER/NAME") from None
    except errors.RevisionNotFoundError:
        raise BenchError(f"{folder.name}: the hub knows no revision '{folder.revision}'") from None
    except Exception as error:  # httpx's, the library's and the disk's
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise BenchError(
            f"{folder.name}: the download failed ({lines[0][:200]}); run it again to go on, or "
            f"copy {folder.place} from a machine that has it"
        ) from None


def _verify(file: Path, name: str) -> None:
    """Hold a file against its name, a hash: sha256 of large ones, git's own of small ones."""
    blob = file.resolve().name
    try:
        if len(blob) == 64:
            found = file_sha256(file)
        elif len(blob) == 40:
            content = file.read_bytes()
            header = b"blob %d\0" % len(content)
            found = hashlib.sha1(header + content, usedforsecurity=False).hexdigest()
        else:  # a folder that was copied without its links
            return
    except OSError as error:
        raise BenchError(f"{file}: cannot be read ({error.strerror})") from None
    if found != blob:
        raise BenchError(
            f"{file}: its hash is {found}, not {blob}: the file is damaged; delete "
            f"{file.resolve()} and run `bench models fetch {name}`"
        )
