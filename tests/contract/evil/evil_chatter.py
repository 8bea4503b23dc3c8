"""Talks while it is imported."""

from dataclasses import dataclass

from bench.api import Corrector, hookimpl

print("Hello! I am a chatty plugin.")


@dataclass(frozen=True)
class Chatter(Corrector):
    name, reference = "chatter", "nobody"

    def correct(self, problem, x, now):
        print("correcting" * 1000)
        return x


@hookimpl
def bench_correctors():
    return [Chatter]
