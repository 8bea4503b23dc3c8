"""The claims, each a module of this folder, in the order of `bench_claims.names`."""

from __future__ import annotations

from importlib import import_module

from bench_claims.claim import Claim
from bench_claims.names import NAMES

CLAIMS: tuple[Claim, ...] = tuple(import_module(f"{__name__}.{name}").CLAIM for name in NAMES)
