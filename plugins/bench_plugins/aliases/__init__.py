"""Names that other projects give to plugins of this package."""

from collections.abc import Sequence

from bench.api import Alias, hookimpl
from bench_plugins.aliases.diffusers import DIFFUSERS
from bench_plugins.aliases.k_diffusion import K_DIFFUSION
from bench_plugins.aliases.programs import PROGRAMS


@hookimpl
def bench_aliases() -> Sequence[Alias]:
    return [*K_DIFFUSION, *DIFFUSERS, *PROGRAMS]
