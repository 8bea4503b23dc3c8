"""BibTeX of the papers that this family names."""

DEBOOR1973GOOD = r"""@incollection{deboor1973good,
  author = {de Boor, Carl},
  title = {Good Approximation by Splines with Variable Knots. {II}},
  booktitle = {Conference on the Numerical Solution of Differential Equations},
  series = {Lecture Notes in Mathematics},
  volume = {363},
  pages = {12--20},
  publisher = {Springer},
  year = {1974}
}
"""

GENMO2024MOCHI = r"""@misc{genmo2024mochi,
  author = {{Genmo Team}},
  title = {Mochi 1},
  year = {2024},
  howpublished = {\url{https://github.com/genmoai/mochi}}
}
"""

LEE2024BETA = r"""@misc{lee2024beta,
  author = {Lee, Haeil and Lee, Hansang and Gye, Seoyeon and Kim, Junmo},
  title = {Beta Sampling is All You Need: Efficient Image Generation Strategy for Diffusion Models using Stepwise Spectral Analysis},
  year = {2024},
  eprint = {2407.12173},
  archiveprefix = {arXiv}
}
"""

RES4LYF2024 = r"""@misc{clownsharkbatwing2024res4lyf,
  author = {{ClownsharkBatwing}},
  title = {{RES4LYF}},
  year = {2024},
  howpublished = {\url{https://github.com/ClownsharkBatwing/RES4LYF}}
}
"""

POLYAK2024 = """@article{polyak2024movie,
  author = {Polyak, Adam and others},
  title = {{Movie Gen}: A Cast of Media Foundation Models},
  journal = {arXiv preprint arXiv:2410.13720},
  year = {2024},
  eprint = {2410.13720},
  archiveprefix = {arXiv}
}
"""
