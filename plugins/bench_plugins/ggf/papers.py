"""BibTeX of the papers that this family names."""

JOLICOEUR2021GOTTA = r"""@misc{jolicoeur2021gotta,
  author = {Jolicoeur-Martineau, Alexia and Li, Ke and Pich{\'e}-Taillefer, R{\'e}mi and Kachman, Tal and Mitliagkas, Ioannis},
  title = {Gotta Go Fast When Generating Data with Score-Based Models},
  year = {2021},
  eprint = {2105.14080},
  archiveprefix = {arXiv}
}
"""
