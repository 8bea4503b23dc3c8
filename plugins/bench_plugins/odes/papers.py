"""BibTeX of the papers that this family names."""

BASHFORTH1883ATTEMPT = r"""@book{bashforth1883attempt,
  author = {Bashforth, Francis and Adams, John Couch},
  title = {An Attempt to Test the Theories of Capillary Action},
  publisher = {Cambridge University Press},
  year = {1883}
}
"""

BOGACKI1989PAIR = r"""@article{bogacki1989pair,
  author = {Bogacki, P. and Shampine, L. F.},
  title = {A 3(2) Pair of {Runge--Kutta} Formulas},
  journal = {Applied Mathematics Letters},
  volume = {2},
  number = {4},
  pages = {321--325},
  year = {1989}
}
"""

CHEN2018NEURAL = r"""@inproceedings{chen2018neural,
  author = {Chen, Ricky T. Q. and Rubanova, Yulia and Bettencourt, Jesse and Duvenaud, David},
  title = {Neural Ordinary Differential Equations},
  booktitle = {Advances in Neural Information Processing Systems},
  year = {2018},
  eprint = {1806.07366},
  archiveprefix = {arXiv}
}
"""

DORMAND1980FAMILY = r"""@article{dormand1980family,
  author = {Dormand, J. R. and Prince, P. J.},
  title = {A Family of Embedded {Runge--Kutta} Formulae},
  journal = {Journal of Computational and Applied Mathematics},
  volume = {6},
  number = {1},
  pages = {19--26},
  year = {1980}
}
"""

EULER1768INSTITUTIONUM = r"""@book{euler1768institutionum,
  author = {Euler, Leonhard},
  title = {Institutionum Calculi Integralis},
  volume = {1},
  publisher = {Imperial Academy of Sciences, St. Petersburg},
  year = {1768}
}
"""

HAIRER1996SOLVING = r"""@book{hairer1996solving,
  author = {Hairer, Ernst and Wanner, Gerhard},
  title = {Solving Ordinary Differential Equations {II}: Stiff and Differential-Algebraic Problems},
  edition = {2nd},
  publisher = {Springer},
  year = {1996}
}
"""

HEUN1900NEUE = r"""@article{heun1900neue,
  author = {Heun, Karl},
  title = {Neue {Methoden} zur approximativen {Integration} der {Differentialgleichungen} einer unabh{\"a}ngigen {Ver{\"a}nderlichen}},
  journal = {Zeitschrift f{\"u}r Mathematik und Physik},
  volume = {45},
  pages = {23--38},
  year = {1900}
}
"""

KUTTA1901BEITRAG = r"""@article{kutta1901beitrag,
  author = {Kutta, Wilhelm},
  title = {Beitrag zur n{\"a}herungsweisen {Integration} totaler {Differentialgleichungen}},
  journal = {Zeitschrift f{\"u}r Mathematik und Physik},
  volume = {46},
  pages = {435--453},
  year = {1901}
}
"""

PRINCE1981HIGH = r"""@article{prince1981high,
  author = {Prince, P. J. and Dormand, J. R.},
  title = {High Order Embedded {Runge--Kutta} Formulae},
  journal = {Journal of Computational and Applied Mathematics},
  volume = {7},
  number = {1},
  pages = {67--75},
  year = {1981}
}
"""

RUNGE1895UEBER = r"""@article{runge1895ueber,
  author = {Runge, Carl},
  title = {Ueber die numerische {Aufl{\"o}sung} von {Differentialgleichungen}},
  journal = {Mathematische Annalen},
  volume = {46},
  pages = {167--178},
  year = {1895}
}
"""

TSITOURAS2011RUNGE = r"""@article{tsitouras2011runge,
  author = {Tsitouras, Ch.},
  title = {{Runge--Kutta} Pairs of Order 5(4) Satisfying Only the First Column Simplifying Assumption},
  journal = {Computers \& Mathematics with Applications},
  volume = {62},
  number = {2},
  pages = {770--775},
  year = {2011},
  doi = {10.1016/j.camwa.2011.06.002}
}
"""
