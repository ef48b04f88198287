"""The version, once: the build, the records and the reports read it here."""

__version__ = "0.1.0"
