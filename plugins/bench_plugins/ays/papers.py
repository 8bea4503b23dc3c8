"""BibTeX of the papers that this family names."""

SABOUR2024ALIGN = r"""@inproceedings{sabour2024align,
  author = {Sabour, Amirmojtaba and Fidler, Sanja and Kreis, Karsten},
  title = {Align Your Steps: Optimizing Sampling Schedules in Diffusion Models},
  booktitle = {International Conference on Machine Learning},
  year = {2024},
  eprint = {2404.14507},
  archiveprefix = {arXiv}
}
"""
