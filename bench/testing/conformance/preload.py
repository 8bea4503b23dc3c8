"""Imports of the server of workers, of which each is a copy; it computes nothing."""

from __future__ import annotations

import torch._dynamo.utils  # noqa: F401 - meta tensors need it: two seconds, and 900 modules

import bench.run.preload
import bench.testing.conformance.suite  # noqa: F401
