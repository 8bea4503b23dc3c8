"""BibTeX entries of the papers that this family names."""

HOURGLASS = """@misc{crowson2024scalable,
  author = {Crowson, Katherine and Baumann, Stefan Andreas and Birch, Alex and Abraham, Tanishq Mathew and Kaplan, Daniel Z. and Shippole, Enrico},
  title = {Scalable High-Resolution Pixel-Space Image Synthesis with {Hourglass} Diffusion Transformers},
  year = {2024},
  eprint = {2401.11605},
  archiveprefix = {arXiv}
}
"""
