"""BibTeX of the papers that this family names."""

SELVAM2024SRDS = r"""@inproceedings{selvam2024srds,
  author = {Selvam, Nikil Roashan and Merchant, Amil and Ermon, Stefano},
  title = {Self-Refining Diffusion Samplers: Enabling Parallelization via {Parareal} Iterations},
  booktitle = {Advances in Neural Information Processing Systems},
  year = {2024},
  eprint = {2412.08292},
  archiveprefix = {arXiv}
}
"""

SHIH2023PARADIGMS = r"""@inproceedings{shih2023paradigms,
  author = {Shih, Andy and Belkhale, Suneel and Ermon, Stefano and Sadigh, Dorsa and Anari, Nima},
  title = {Parallel Sampling of Diffusion Models},
  booktitle = {Advances in Neural Information Processing Systems},
  year = {2023},
  eprint = {2305.16317},
  archiveprefix = {arXiv}
}
"""
