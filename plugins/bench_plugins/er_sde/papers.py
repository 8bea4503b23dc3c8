"""BibTeX of the papers that this family names."""

CUI2025ELUCIDATING = r"""@inproceedings{cui2025elucidating,
  author = {Cui, Qinpeng and Zhang, Xinyi and Bao, Qiqi and Liao, Qingmin},
  title = {Elucidating the Solution Space of Extended Reverse-Time {SDE} for Diffusion Models},
  booktitle = {IEEE/CVF Winter Conference on Applications of Computer Vision},
  year = {2025},
  pages = {243--252},
  eprint = {2309.06169},
  archiveprefix = {arXiv}
}
"""
