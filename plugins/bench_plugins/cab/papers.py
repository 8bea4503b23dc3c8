"""BibTeX of the papers that this family names."""

ROY2026CAB = r"""@misc{roy2026cab,
  author = {Roy, Anuska and Nair, Pravin},
  title = {{CAB}: Accelerating Flow and Diffusion Sampling via Rectification and Corrected {Adams-Bashforth}},
  year = {2026},
  eprint = {2605.16736},
  archiveprefix = {arXiv}
}
"""
