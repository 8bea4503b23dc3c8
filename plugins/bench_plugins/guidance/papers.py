"""BibTeX entries of what this family implements."""

HO2022CFG = """\
@misc{ho2022classifier,
  title = {Classifier-Free Diffusion Guidance},
  author = {Ho, Jonathan and Salimans, Tim},
  year = {2022},
  eprint = {2207.12598},
  archivePrefix = {arXiv},
}
"""
