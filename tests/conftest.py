"""Tests share the cores: one thread for each process, set before torch is imported."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
