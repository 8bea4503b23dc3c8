"""BibTeX entries of what this family implements."""

from bench.api import paper

CARDOSO2024MCGDIFF = """\
@inproceedings{cardoso2024monte,
  title = {{Monte Carlo} Guided Diffusion for {Bayesian} Linear Inverse Problems},
  author = {Cardoso, Gabriel and Janati El Idrissi, Yazid and Le Corff, Sylvain and
    Moulines, Eric},
  booktitle = {International Conference on Learning Representations},
  year = {2024},
  eprint = {2308.07983},
  archivePrefix = {arXiv},
}
"""

CHUNG2022MCG = """\
@inproceedings{chung2022improving,
  title = {Improving Diffusion Models for Inverse Problems using Manifold Constraints},
  author = {Chung, Hyungjin and Sim, Byeongsu and Ryu, Dohoon and Ye, Jong Chul},
  booktitle = {Advances in Neural Information Processing Systems},
  year = {2022},
  eprint = {2206.00941},
  archivePrefix = {arXiv},
}
"""

CHUNG2023DPS = paper("chung2023diffusion")

KAWAR2022DDRM = paper("kawar2022denoising")

LUGMAYR2022REPAINT = """\
@inproceedings{lugmayr2022repaint,
  title = {{RePaint}: Inpainting using Denoising Diffusion Probabilistic Models},
  author = {Lugmayr, Andreas and Danelljan, Martin and Romero, Andres and Yu, Fisher and
    Timofte, Radu and Van Gool, Luc},
  booktitle = {Conference on Computer Vision and Pattern Recognition},
  year = {2022},
  eprint = {2201.09865},
  archivePrefix = {arXiv},
}
"""

SONG2023PIGDM = """\
@inproceedings{song2023pseudoinverse,
  title = {Pseudoinverse-Guided Diffusion Models for Inverse Problems},
  author = {Song, Jiaming and Vahdat, Arash and Mardani, Morteza and Kautz, Jan},
  booktitle = {International Conference on Learning Representations},
  year = {2023},
  url = {https://openreview.net/forum?id=9_gsMA8MRKQ},
}
"""

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

ZHANG2025DAPS = """\
@inproceedings{zhang2025improving,
  title = {Improving Diffusion Inverse Problem Solving with Decoupled Noise Annealing},
  author = {Zhang, Bingliang and Chu, Wenda and Berner, Julius and Meng, Chenlin and
    Anandkumar, Anima and Song, Yang},
  booktitle = {Conference on Computer Vision and Pattern Recognition},
  year = {2025},
  eprint = {2407.01521},
  archivePrefix = {arXiv},
}
"""

ZHU2023DIFFPIR = """\
@inproceedings{zhu2023denoising,
  title = {Denoising Diffusion Models for Plug-and-Play Image Restoration},
  author = {Zhu, Yuanzhi and Zhang, Kai and Liang, Jingyun and Cao, Jiezhang and Wen, Bihan and
    Timofte, Radu and Van Gool, Luc},
  booktitle = {Conference on Computer Vision and Pattern Recognition Workshops},
  year = {2023},
  eprint = {2305.08995},
  archivePrefix = {arXiv},
}
"""
