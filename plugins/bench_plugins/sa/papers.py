"""BibTeX of the papers that this family names."""

XUE2023SASOLVER = r"""@inproceedings{xue2023sasolver,
  author = {Xue, Shuchen and Yi, Mingyang and Luo, Weijian and Zhang, Shifeng and Sun, Jiacheng and Li, Zhenguo and Ma, Zhi-Ming},
  title = {{SA-Solver}: Stochastic {Adams} Solver for Fast Sampling of Diffusion Models},
  booktitle = {Advances in Neural Information Processing Systems},
  year = {2023},
  eprint = {2309.05019},
  archiveprefix = {arXiv}
}
"""
