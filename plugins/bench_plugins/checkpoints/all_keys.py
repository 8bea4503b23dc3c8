"""The tables of keys in docs/checkpoints.md.

`python -m bench_plugins.checkpoints.all_keys` prints them.
"""

from __future__ import annotations

from bench_plugins.checkpoints.author_keys import (
    EDM_FILE_KEYS,
    EDM_NETWORK_KEYS,
    EDM_PRECOND_KEYS,
    EDM_RECIPE_KEYS,
    IMAGE_V1_KEYS,
    K_DATASET_KEYS,
    K_DIFFUSION_KEYS,
    NCSNPP_KEYS,
    SCORE_SDE_KEYS,
    TRANSFORMER_V2_KEYS,
)
from bench_plugins.checkpoints.keys import KeyTable, markdown
from bench_plugins.checkpoints.unet2d.keys import INDEX_KEYS, SCHEDULER_KEYS, UNET_KEYS
from bench_plugins.checkpoints.unet2d.schedulers import SCHEDULERS

TABLES: tuple[KeyTable, ...] = (
    INDEX_KEYS,
    SCHEDULER_KEYS,
    UNET_KEYS,
    SCORE_SDE_KEYS,
    NCSNPP_KEYS,
    EDM_FILE_KEYS,
    EDM_PRECOND_KEYS,
    EDM_NETWORK_KEYS,
    EDM_RECIPE_KEYS,
    K_DIFFUSION_KEYS,
    IMAGE_V1_KEYS,
    TRANSFORMER_V2_KEYS,
    K_DATASET_KEYS,
)


def document() -> str:
    """The schedulers that are read, and every table, as Markdown."""
    names = ", ".join(f"`{name}`" for name in SCHEDULERS)
    return f"Schedulers that are read: {names}.\n\n{markdown(TABLES)}"


if __name__ == "__main__":
    print(document())
