"""Imported once by the server of worker processes; every worker is a copy of it.

Importing this module loads torch and the host's own plugins, and no other's. It computes nothing:
a process that has started threads, or a GPU, cannot be copied.
"""

from __future__ import annotations

import bench.run.worker  # noqa: F401 - and torch with it
from bench.registry import own_sources, registry_of

registry_of(own_sources())
