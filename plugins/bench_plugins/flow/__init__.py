"""Rectified flow and flow matching (Liu et al. 2022; Lipman et al. 2022)."""

from bench.api import family
from bench_plugins.flow.euler import FlowEuler as FlowEuler
from bench_plugins.flow.grid import FlowShift as FlowShift
from bench_plugins.flow.heun import FlowHeun as FlowHeun
from bench_plugins.flow.process import RectifiedFlow as RectifiedFlow

bench_family = family(__name__)
