"""Rectified flow and flow matching (Liu et al. 2022; Lipman et al. 2022)."""

from bench.api import family
from bench_plugins.flow.aflops import AFlops as AFlops
from bench_plugins.flow.ancestral import FlowAncestral as FlowAncestral
from bench_plugins.flow.dynamic import DynamicFlowShift as DynamicFlowShift
from bench_plugins.flow.euler import FlowEuler as FlowEuler
from bench_plugins.flow.grid import FlowShift as FlowShift
from bench_plugins.flow.heun import FlowHeun as FlowHeun
from bench_plugins.flow.process import RectifiedFlow as RectifiedFlow
from bench_plugins.flow.stochastic import FlowStochastic as FlowStochastic
from bench_plugins.flow.stork import Stork2 as Stork2
from bench_plugins.flow.stork_4 import Stork4 as Stork4

bench_family = family(__name__)
