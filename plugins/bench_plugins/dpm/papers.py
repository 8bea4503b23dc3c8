"""BibTeX of the papers that this family names."""

CROWSON2022KDIFFUSION = r"""@misc{crowson2022kdiffusion,
  author = {Crowson, Katherine},
  title = {k-diffusion},
  year = {2022},
  howpublished = {\url{https://github.com/crowsonkb/k-diffusion}}
}
"""

LU2022DPMSOLVER = r"""@inproceedings{lu2022dpmsolver,
  author = {Lu, Cheng and Zhou, Yuhao and Bao, Fan and Chen, Jianfei and Li, Chongxuan and Zhu, Jun},
  title = {{DPM-Solver}: A Fast {ODE} Solver for Diffusion Probabilistic Model Sampling in Around 10 Steps},
  booktitle = {Advances in Neural Information Processing Systems},
  year = {2022},
  eprint = {2206.00927},
  archiveprefix = {arXiv}
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

SONG2019GENERATIVE = r"""@inproceedings{song2019generative,
  author = {Song, Yang and Ermon, Stefano},
  title = {Generative Modeling by Estimating Gradients of the Data Distribution},
  booktitle = {Advances in Neural Information Processing Systems},
  year = {2019},
  eprint = {1907.05600},
  archiveprefix = {arXiv}
}
"""
