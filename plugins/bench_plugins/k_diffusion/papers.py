"""BibTeX of the papers that this family names."""

CROWSON2022KDIFFUSION = r"""@misc{crowson2022kdiffusion,
  author = {Crowson, Katherine},
  title = {k-diffusion},
  year = {2022},
  howpublished = {\url{https://github.com/crowsonkb/k-diffusion}}
}
"""

HAIRER1993SOLVING = r"""@book{hairer1993solving,
  author = {Hairer, Ernst and N{\o}rsett, Syvert P. and Wanner, Gerhard},
  title = {Solving Ordinary Differential Equations {I}: Nonstiff Problems},
  edition = {2nd},
  publisher = {Springer},
  year = {1993}
}
"""

LU2022DPMSOLVERPP = r"""@misc{lu2022dpmsolverpp,
  author = {Lu, Cheng and Zhou, Yuhao and Bao, Fan and Chen, Jianfei and Li, Chongxuan and Zhu, Jun},
  title = {{DPM-Solver++}: Fast Solver for Guided Sampling of Diffusion Probabilistic Models},
  year = {2022},
  eprint = {2211.01095},
  archiveprefix = {arXiv}
}
"""
