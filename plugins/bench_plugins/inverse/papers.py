"""BibTeX entries of what this family implements."""

WANG2023DDNM = """\
@inproceedings{wang2023zero,
  title = {Zero-Shot Image Restoration Using Denoising Diffusion Null-Space Model},
  author = {Wang, Yinhuai and Yu, Jiwen and Zhang, Jian},
  booktitle = {International Conference on Learning Representations},
  year = {2023},
  eprint = {2212.00490},
  archivePrefix = {arXiv},
}
"""
