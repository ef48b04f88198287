"""From buffer to record, every second and a half in a thread of its own: a killed run has lost two seconds at most."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from trimtab.core.signal import FEATURE_MEAN, LOSS, SIGNALS, TIME_GAIN
from trimtab.core.trace import Event
from trimtab.record import Writer
from trimtab.watching.buffer import Buffer, Entry, to_host
from trimtab.watching.probes.features import Moments
from trimtab.watching.sites import Sites

INTERVAL = 1.5  # and what is written then is at most 2 s old


class Flusher:
    """Owns the way from device to disk; `flush` may be called from any thread."""

    def __init__(self, writer: Writer, buffer: Buffer, sites: Sites, progress: Callable[[], tuple[int, float]]) -> None:
        self.writer = writer
        self.loss: float | None = None
        self._seconds = 0.0
        self._buffer, self._sites, self._progress = buffer, sites, progress
        self._moments: dict[int, Moments] = {}
        self._readings: dict[tuple[int, str], NDArray[np.float64]] = {}
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to flush in the background."""
        self._thread = threading.Thread(target=self._run, name="trimtab-flush", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread and write what is left."""
        self._stop.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout=10)
        self.flush()

    def event(self, event: Event) -> None:
        """Write an event at once."""
        with self._lock:
            self.writer.event(event)

    def _run(self) -> None:
        while not self._stop.wait(INTERVAL):
            began = time.thread_time()
            self.flush()
            self._seconds += time.thread_time() - began

    def take_seconds(self) -> float:
        """Processor time that the thread has used since it was last asked."""
        seconds, self._seconds = self._seconds, 0.0
        return seconds

    def flush(self) -> None:
        """Bring over what the buffer holds and commit it."""
        with self._lock:
            steps, overhead = self._progress()
            entries = self._buffer.take()
            values = to_host(entries)
            for kind, fresh in self._sites.new().items():
                self.writer.add_sites(kind, fresh)
            for (step, name), reading in self._assemble(entries, values).items():
                self.writer.add(step, SIGNALS[name], reading)
            self.writer.set_steps(steps)
            self.writer.set_meta(overhead=overhead)
            self.writer.commit()

    def _assemble(
        self, entries: list[Entry], values: list[NDArray[np.float64]]
    ) -> dict[tuple[int, str], NDArray[np.float64]]:
        """One array over all sites per step and signal; a step whose parts come in two flushes is completed."""
        groups: dict[tuple[int, str], list[tuple[int, NDArray[np.float64]]]] = defaultdict(list)
        for entry, value in zip(entries, values, strict=True):
            if entry.signal == FEATURE_MEAN.name:
                moments = self._moments.setdefault(entry.site, Moments.empty(value.size // 4))
                for name, merged in moments.merge(value).items():
                    groups[entry.step, name].append((entry.site, merged))
            else:
                # In a reading NaN says "not measured": a NaN that was measured is kept as Inf.
                measured = value if entry.signal == TIME_GAIN.name else np.where(np.isnan(value), np.inf, value)
                groups[entry.step, entry.signal].append((entry.site, measured))
        latest = max((step for step, _ in groups), default=-1)
        open_before = self._readings
        done: dict[tuple[int, str], NDArray[np.float64]] = {}
        for (step, name), parts in groups.items():
            reading = np.full(self._sites.handed_over(SIGNALS[name].per), np.nan)
            earlier = open_before.get((step, name))
            if earlier is not None:
                reading[: earlier.size] = earlier
            for site, value in parts:
                reading[site : site + value.size] = value
            done[step, name] = reading
        self._readings = {key: reading for key, reading in done.items() if key[0] == latest} or open_before
        losses = [reading for (_, name), reading in sorted(done.items(), key=lambda kv: kv[0][0]) if name == LOSS.name]
        if losses:
            self.loss = next((float(v) for v in losses[-1] if not np.isnan(v)), self.loss)
        return done
