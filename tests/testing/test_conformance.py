"""Every plugin of the package passes the kit that strangers have to pass."""

from __future__ import annotations

import pytest

from bench.registry import Entry, Kind, load_registry
from bench.testing.conformance import CHECKS, Conformity, carry_out

OWN = [e for e in load_registry().of(*Kind) if e.source.distribution == "scorebench"]

# Why a check may be skipped; any other reason would be a gap.
REASONS = (
    "from noise to data alone",
    "reads its error norms",
    "declares batch_coupled",
    "compares with the data set",
    "an adaptive stochastic method",
    "needs held-out integer data",
    "cannot be loaded here",  # a model that reads a file of the user's
    "needs images of bytes",
    "is of images",
    "an observation is needed",
    "a closed form of the posterior is needed",
    "needs a closed form with classes",
    "needs samples of classes",
    "is the bound of the solver 'ancestral' alone",
    "poses no observations",
    "has no linear operator",
    "has no splits",
    "matrix.npy: cannot be read",
    "its scheduler's own noise levels alone",
    "runs a scheduler's whole way",
    "is not calibrated",
    "Cannot copy out of meta tensor",  # diffusers reads values of its timesteps
)


def _marks(entry: Entry) -> tuple[pytest.MarkDecorator, ...]:
    """Networks of 50 million parameters take seconds to build; their own tests are quick."""
    large = entry.kind is Kind.NETWORK and entry.source.entry_point == "checkpoints"
    return (pytest.mark.slow,) if large else ()


@pytest.mark.parametrize(
    ("entry", "check"),
    [
        pytest.param(entry, check.name, id=f"{entry.name}-{check.name}", marks=_marks(entry))
        for entry in OWN
        for check in CHECKS[entry.kind]
    ],
)
def test_conforms(entry: Entry, check: str) -> None:
    finding = carry_out(entry, check)
    assert finding.verdict is not Conformity.FAILED, finding
    if finding.verdict is Conformity.SKIPPED:
        shipped = ("gaussian_mixture", "random_mixture", "mnist_unet", "digits_mlp")
        assert entry.name not in shipped
        assert any(reason in finding.seen for reason in REASONS)
        pytest.skip(finding.seen)
