"""The conformance kit: what a plugin has to show before its numbers can be trusted.

On the command line: `bench plugins check NAME`. In a plugin's own tests, one import:

    from bench.testing import conformance

    test_conforms = conformance("my_solver")
"""

from bench.testing.conformance.finding import Conformity, Finding
from bench.testing.conformance.pytest_suite import conformance
from bench.testing.conformance.suite import CHECKS, carry_out

__all__ = ["CHECKS", "Conformity", "Finding", "carry_out", "conformance"]
