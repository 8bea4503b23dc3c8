"""BibTeX of the paper that this family names."""

PERMENTER2024INTERPRETING = r"""@inproceedings{permenter2024interpreting,
  author = {Permenter, Frank and Yuan, Chenyang},
  title = {Interpreting and Improving Diffusion Models from an Optimization Perspective},
  booktitle = {International Conference on Machine Learning},
  year = {2024},
  eprint = {2306.04848},
  archiveprefix = {arXiv}
}
"""
