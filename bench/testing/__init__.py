"""Measurements for a plugin's own tests: order of convergence and network evaluations.

from bench.testing import measured_nfe, measured_order

def test_order() -> None:
    assert abs(measured_order(Mine()) - Mine.order) < 0.1

def test_cost() -> None:
    assert measured_nfe(Mine(), steps=10) == Mine().cost(10)
"""

from bench.testing.conformance import conformance
from bench.testing.cost import measured_nfe
from bench.testing.mixture import LineMixture
from bench.testing.order import convergence_slope, measured_order
from bench.testing.plugins import grid_of, model_of, ode_solver_of, process_of, stepper_of
from bench.testing.weak_order import Gaussian, measured_weak_order, propagated_moments

__all__ = [
    "Gaussian",
    "LineMixture",
    "conformance",
    "convergence_slope",
    "grid_of",
    "measured_nfe",
    "measured_order",
    "measured_weak_order",
    "model_of",
    "ode_solver_of",
    "process_of",
    "propagated_moments",
    "stepper_of",
]
