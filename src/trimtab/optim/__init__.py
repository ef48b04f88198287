"""Optimizers with the faces of `torch.optim`: four settings of one step, with clipping and a weight average inside."""

from trimtab.optim.adam import Adam, AdamW
from trimtab.optim.descent import Descent
from trimtab.optim.rmsprop import RMSprop
from trimtab.optim.sgd import SGD
from trimtab.optim.update import Scale, Update, Velocity

__all__ = ["SGD", "Adam", "AdamW", "Descent", "RMSprop", "Scale", "Update", "Velocity"]
