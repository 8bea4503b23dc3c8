"""BibTeX of the papers that this family names."""

XU2023RESTART = r"""@inproceedings{xu2023restart,
  author = {Xu, Yilun and Deng, Mingyang and Cheng, Xiang and Tian, Yonglong and Liu, Ziming and Jaakkola, Tommi},
  title = {Restart Sampling for Improving Generative Processes},
  booktitle = {Advances in Neural Information Processing Systems},
  year = {2023},
  eprint = {2306.14878},
  archiveprefix = {arXiv}
}
"""
