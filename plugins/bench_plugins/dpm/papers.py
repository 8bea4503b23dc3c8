"""BibTeX of the papers that this family names."""

LU2022DPMSOLVER = r"""@inproceedings{lu2022dpmsolver,
  author = {Lu, Cheng and Zhou, Yuhao and Bao, Fan and Chen, Jianfei and Li, Chongxuan and Zhu, Jun},
  title = {{DPM-Solver}: A Fast {ODE} Solver for Diffusion Probabilistic Model Sampling in Around 10 Steps},
  booktitle = {Advances in Neural Information Processing Systems},
  year = {2022},
  eprint = {2206.00927},
  archiveprefix = {arXiv}
}
"""
