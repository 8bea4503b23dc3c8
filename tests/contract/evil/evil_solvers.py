"""Solvers that fail in every way a step can fail."""

import contextlib
import os
import signal
import sys
import time
from dataclasses import dataclass

import torch

from bench.api import OdeSolver, hookimpl, require


@dataclass(frozen=True)
class Evil(OdeSolver):
    reference, order = "nobody", 1

    def step(self, problem, x, now, then, state):
        self.harm(x)
        keep = then.sigma / now.sigma
        d = problem.denoise(x, now)
        return self.spoil(x * keep + d * (then.alpha - keep * now.alpha)), None

    def harm(self, x):
        pass

    def spoil(self, x):
        return x


@dataclass(frozen=True)
class Raises(Evil):
    name = "evil_raises"

    def harm(self, x):
        raise RuntimeError("first line\nsecond line")


class UnprintableError(Exception):
    def __str__(self):
        raise RuntimeError("not even my message can be read")


@dataclass(frozen=True)
class Unprintable(Evil):
    name = "evil_unprintable"

    def harm(self, x):
        raise UnprintableError


class UnpicklableError(Exception):
    def __init__(self, one, two):
        super().__init__(f"{one} {two}")
        self.file = sys.stdout


@dataclass(frozen=True)
class Unpicklable(Evil):
    name = "evil_unpicklable"

    def harm(self, x):
        raise UnpicklableError("cannot", "travel")


@dataclass(frozen=True)
class Nan(Evil):
    name = "evil_nan"

    def spoil(self, x):
        x = x.clone()
        x[3] = float("nan")
        return x


@dataclass(frozen=True)
class Hangs(Evil):
    name = "evil_hangs"

    def harm(self, x):
        while True:
            with contextlib.suppress(BaseException):  # will not be stopped gently
                time.sleep(1)


@dataclass(frozen=True)
class Exits(Evil):
    name = "evil_exits"

    def harm(self, x):
        os._exit(1)


@dataclass(frozen=True)
class Quits(Evil):
    name = "evil_quits"

    def harm(self, x):
        sys.exit(3)


@dataclass(frozen=True)
class Interrupts(Evil):
    name = "evil_interrupts"

    def harm(self, x):
        raise KeyboardInterrupt


@dataclass(frozen=True)
class Kills(Evil):
    name = "evil_kills"

    def harm(self, x):
        os.kill(os.getpid(), signal.SIGKILL)


@dataclass(frozen=True)
class Talks(Evil):
    name = "evil_talks"

    def harm(self, x):
        sys.stdout.write("blah " * 2_000_000)
        os.write(2, b"blah " * 200_000)


@dataclass(frozen=True)
class WrongShape(Evil):
    name = "evil_shape"

    def spoil(self, x):
        return x[:, :1]


@dataclass(frozen=True)
class TooFew(Evil):
    name = "evil_few"

    def spoil(self, x):
        return x[:-1]


@dataclass(frozen=True)
class ReturnsNothing(Evil):
    name = "evil_nothing"

    def step(self, problem, x, now, then, state):
        return None


@dataclass(frozen=True)
class Memory(Evil):
    name = "evil_memory"

    def harm(self, x):
        torch.empty(1 << 50)


@dataclass(frozen=True)
class Cheats(Evil):
    """Declares one evaluation per step and makes three."""

    name = "evil_cheats"

    def step(self, problem, x, now, then, state):
        problem.denoise(x, now)
        problem.denoise(x, now)
        return super().step(problem, x, now, then, state)


@dataclass(frozen=True)
class Fussy(Evil):
    """Breaks where its parameters are checked."""

    name = "evil_fussy"
    level: int = 0

    def __post_init__(self):
        require(self.level <= 10, "level must be <= 10")
        1 // (self.level - 5)


@hookimpl
def bench_ode_solvers():
    return [
        Raises,
        Unprintable,
        Unpicklable,
        Nan,
        Hangs,
        Exits,
        Quits,
        Interrupts,
        Kills,
        Talks,
        WrongShape,
        TooFew,
        ReturnsNothing,
        Memory,
        Cheats,
        Fussy,
    ]
