"""Randomness: of a plugin's own stream alone."""

from __future__ import annotations

import random
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from bench.testing.conformance.finding import demand


def demand_own_randomness(run: Callable[[], Tensor], home: str) -> None:
    """Demand of ``run`` that it touches no global random state and can be repeated.

    Args:
        run: with noise of the same seed each time.
        home: where a plugin may keep what it has to remember.
    """
    _stir()
    before = _states()
    first = run()
    touched = [name for name, state in _states().items() if state != before[name]]
    demand(
        not touched,
        "no global random state is touched",
        f"the state of {', '.join(touched)} changed",
        "draw from problem.normal() and problem.uniform() alone; never seed anything",
    )
    demand(
        torch.equal(first, run()),
        "the same seed gives the same samples",
        "two runs of one plugin differ",
        f"keep no state on the class, the instance or the module{home}",
    )


def _stir() -> None:
    """Bring the global generators into a state that no seed of a plugin's gives."""
    torch.manual_seed(random.randrange(1 << 31))
    np.random.seed(random.randrange(1 << 31))  # noqa: NPY002
    random.random()


def _states() -> dict[str, bytes]:
    """The global random states, by library."""
    numpy_state = np.random.get_state()  # noqa: NPY002 - it is the global one that is watched
    return {
        "torch": bytes(torch.get_rng_state().numpy().tobytes()),
        "numpy": repr([np.asarray(part).tolist() for part in numpy_state]).encode(),
        "random": repr(random.getstate()).encode(),
    }
