"""Samples a second of the CIFAR-10 network, by NFE, precision and compilation.

``python -m bench_checkpoints.throughput [--json] [--device cuda] [--batch 512] ...`` prints a
Markdown table for docs/performance.md, or JSON. The network is EDM's DDPM++ (55.7M parameters)
with weights at random: speed does not depend on their values. The sampler is EDM's Heun method on
its own grid (NFE 35 takes 18 steps); even budgets go to DPM-Solver++(2M), one evaluation a step.
"""

from __future__ import annotations

import argparse
import json
import platform
import resource
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import cast

import torch

from bench.api import BenchError, CountedDenoiser, Denoiser, NoiseProcess, Problem, Sampler, require
from bench_checkpoints.edm_precond import EdmDenoiser, EdmRecipe
from bench_checkpoints.networks.edm_unet import EdmUnet, EdmUnetConfig
from bench_checkpoints.precision import NetworkModel, Precision, running
from bench_dpm.dpmpp_2m import DpmPp2m
from bench_edm.edm import EdmProcess
from bench_edm.edm_heun import EdmHeun
