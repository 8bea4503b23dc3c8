"""BibTeX entries of what this family implements."""

from bench.api import paper

SONG2021 = paper("song2021score")
KAWAR2022 = paper("kawar2022denoising")
CHUNG2023DPS = paper("chung2023diffusion")
