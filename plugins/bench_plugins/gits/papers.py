"""BibTeX of the papers that this family names."""

CHEN2024TRAJECTORY = r"""@inproceedings{chen2024trajectory,
  author = {Chen, Defang and Zhou, Zhenyu and Wang, Can and Shen, Chunhua and Lyu, Siwei},
  title = {On the Trajectory Regularity of {ODE}-based Diffusion Sampling},
  booktitle = {International Conference on Machine Learning},
  year = {2024},
  eprint = {2405.11326},
  archiveprefix = {arXiv}
}
"""
