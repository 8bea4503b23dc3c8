"""BibTeX of the papers that this family names."""

ZHANG2023DEIS = r"""@inproceedings{zhang2023deis,
  author = {Zhang, Qinsheng and Chen, Yongxin},
  title = {Fast Sampling of Diffusion Models with Exponential Integrator},
  booktitle = {International Conference on Learning Representations},
  year = {2023},
  eprint = {2204.13902},
  archiveprefix = {arXiv}
}
"""
