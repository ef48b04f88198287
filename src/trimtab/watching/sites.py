"""The places seen so far, each with its index; new ones are handed to the record at the next flush."""

from __future__ import annotations

import threading
from collections import defaultdict

from trimtab.core.signal import SiteKind
from trimtab.core.trace import Scalar, Site


class Sites:
    """Indices of sites by kind and key. An index never changes once given."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._index: dict[tuple[SiteKind, str], int] = {}
        self._lists: dict[SiteKind, list[Site]] = defaultdict(list)
        self._written: dict[SiteKind, int] = defaultdict(int)

    def index(self, kind: SiteKind, key: str, name: str | None = None, **attrs: Scalar) -> int:
        """The index of a site; it is made at the first call, and only then are name and attributes looked at."""
        place = self._index.get((kind, key))
        if place is None:
            site = Site(kind, key if name is None else name, attrs)
            with self._lock:
                place = len(self._lists[kind])
                # In this order: Ctrl-C between the two must not leave an index that leads to no site.
                self._lists[kind].append(site)
                self._index[kind, key] = place
        return place

    def find(self, kind: SiteKind, key: str) -> int | None:
        """The index of a known site, or None."""
        return self._index.get((kind, key))

    def handed_over(self, kind: SiteKind) -> int:
        """How many sites of a kind the record knows."""
        return self._written[kind]

    def new(self) -> dict[SiteKind, list[Site]]:
        """Sites made since the last call."""
        with self._lock:
            fresh: dict[SiteKind, list[Site]] = {
                kind: sites[self._written[kind] :] for kind, sites in self._lists.items()
            }
            for kind, sites in self._lists.items():
                self._written[kind] = len(sites)
        return {kind: sites for kind, sites in fresh.items() if sites}
