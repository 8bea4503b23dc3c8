"""BibTeX entries of what this family implements."""

from bench.api import paper

SONG2021 = paper("song2021score")

KAWAR2022 = """\
@inproceedings{kawar2022denoising,
  title = {Denoising Diffusion Restoration Models},
  author = {Kawar, Bahjat and Elad, Michael and Ermon, Stefano and Song, Jiaming},
  booktitle = {Advances in Neural Information Processing Systems},
  year = {2022},
  eprint = {2201.11793},
  archivePrefix = {arXiv},
}
"""

CHUNG2023DPS = """\
@inproceedings{chung2023diffusion,
  title = {Diffusion Posterior Sampling for General Noisy Inverse Problems},
  author = {Chung, Hyungjin and Kim, Jeongsol and Mccann, Michael Thompson and Klasky, Marc Louis and Ye, Jong Chul},
  booktitle = {International Conference on Learning Representations},
  year = {2023},
  eprint = {2209.14687},
  archivePrefix = {arXiv},
}
"""
