"""The bibliography: every limit and docstring cites a key of this table."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Source:
    """A publication, or the program that calibrated a limit."""

    key: str
    text: str
    url: str | None = None


SOURCES: dict[str, Source] = {
    source.key: source
    for source in (
        Source(
            "glorot2010",
            "X. Glorot, Y. Bengio: Understanding the difficulty of training deep networks. AISTATS 2010",
            "https://proceedings.mlr.press/v9/glorot10a.html",
        ),
        Source(
            "he2015",
            "K. He, X. Zhang, S. Ren, J. Sun: Delving deep into rectifiers. ICCV 2015",
            "https://arxiv.org/abs/1502.01852",
        ),
        Source(
            "lecun1998",
            "Y. LeCun, L. Bottou, G. Orr, K.-R. Müller: Efficient BackProp. Neural Networks: Tricks of the Trade, 1998",
            "https://doi.org/10.1007/978-3-642-35289-8_3",
        ),
        Source(
            "pascanu2013",
            "R. Pascanu, T. Mikolov, Y. Bengio: On the difficulty of training recurrent neural networks. ICML 2013",
            "https://arxiv.org/abs/1211.5063",
        ),
        Source(
            "bengio1994",
            "Y. Bengio, P. Simard, P. Frasconi: Learning long-term dependencies is difficult. 1994",
            "https://doi.org/10.1109/72.279181",
        ),
        Source(
            "lu2019",
            "L. Lu, Y. Shin, Y. Su, G. Karniadakis: Dying ReLU and initialization. 2019",
            "https://arxiv.org/abs/1903.06733",
        ),
        Source(
            "kingma2015",
            "D. Kingma, J. Ba: Adam: a method for stochastic optimization. ICLR 2015",
            "https://arxiv.org/abs/1412.6980",
        ),
        Source(
            "ioffe2015",
            "S. Ioffe, C. Szegedy: Batch normalization. ICML 2015",
            "https://arxiv.org/abs/1502.03167",
        ),
        Source("wu2018", "Y. Wu, K. He: Group normalization. ECCV 2018", "https://arxiv.org/abs/1803.08494"),
        Source(
            "srivastava2014",
            "N. Srivastava, G. Hinton, A. Krizhevsky, I. Sutskever, R. Salakhutdinov: Dropout. JMLR 2014",
            "https://jmlr.org/papers/v15/srivastava14a.html",
        ),
        Source(
            "mccandlish2018",
            "S. McCandlish, J. Kaplan, D. Amodei: An empirical model of large-batch training. 2018",
            "https://arxiv.org/abs/1812.06162",
        ),
        Source(
            "micikevicius2018",
            "P. Micikevicius et al.: Mixed precision training. ICLR 2018",
            "https://arxiv.org/abs/1710.03740",
        ),
        Source(
            "ieee754",
            "IEEE 754-2019: Standard for floating-point arithmetic",
            "https://doi.org/10.1109/IEEESTD.2019.8766229",
        ),
        Source("clinic", "Calibrated on the programs of clinic/ (python -m clinic score)"),
        Source("own", "Whoever wrote the rule says so"),
    )
}
