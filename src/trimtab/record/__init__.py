"""The run record: one SQLite file, written while training, readable meanwhile, intact after a kill."""

from trimtab.record.reader import read
from trimtab.record.writer import Writer

__all__ = ["Writer", "read"]
