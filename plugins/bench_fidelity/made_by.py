"""What makes statistics of images, as far as it decides them: code of this package, and libraries.

Part of the name of what is kept in the cache folder, so that statistics made by other code are
never taken for those of this.
"""

from __future__ import annotations

import hashlib
from functools import cache
from importlib import metadata
from importlib.util import find_spec

_CODE = (
    "bench_fidelity.clip",
    "bench_fidelity.decoding",
    "bench_fidelity.dinov2",
    "bench_fidelity.extractors",
    "bench_fidelity.folder",
    "bench_fidelity.kinds",
    "bench_fidelity.listing",
    "bench_fidelity.reference",
    "bench_fidelity.sources",
    "bench_fidelity.statistics",
    "bench_fidelity.torchscript",
    "bench_fidelity.weights",
    "bench_metrics.frechet",
)
_LIBRARIES = ("numpy", "pillow", "timm", "torch", "torch-fidelity", "torchvision")


@cache
def maker() -> str:
    """Hash of the code and the libraries' versions."""
    parts = [f"{name} {hashlib.sha256(_source(name)).hexdigest()}" for name in _CODE]
    parts += [f"{name} {_version(name)}" for name in _LIBRARIES]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _source(module: str) -> bytes:
    spec = find_spec(module)
    assert spec is not None
    assert spec.origin is not None
    content: bytes = spec.loader.get_data(spec.origin)  # type: ignore[union-attr]  # zips too
    return content


def _version(distribution: str) -> str:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return ""
