"""The textbook: each method as a short pure function on tensors that reads like its formula.

These are the references. The components in `trimtab.optim`, `nn`, `init`, `data` and `average` are tested against them.
"""
