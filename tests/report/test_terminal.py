from __future__ import annotations

import io
import unicodedata
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from rich.cells import cell_len

from trimtab import remedies
from trimtab.core.cause import Cause
from trimtab.core.finding import Diagnosis
from trimtab.core.synthetic import synthetic_trace
from trimtab.core.trace import Event, Trace
from trimtab.report import terminal
from trimtab.report.verdict import PHRASES

from . import diagnoses
