"""Runs in the browser: a server for this machine and this user alone, which reads records and changes nothing."""

from __future__ import annotations

import os
import secrets
import sys
from dataclasses import dataclass
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote_to_bytes

from trimtab.core.errors import TrimtabError
from trimtab.live import pages
from trimtab.live.following import snapshot
from trimtab.live.pages import IN_FRAME, Page, part
from trimtab.live.runs import MOST, Runs

_HOST = "127.0.0.1"
# A report carries the policy of its own page; here stands only who may show it in a frame.
_REPORT = f"{IN_FRAME}; base-uri 'none'; form-action 'none'"
_HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request is answered: empty and 404 for whatever is not for its sender to know."""

    status: int = 404
    text: str = ""
    kind: str = "text/plain"
    policy: str = "default-src 'none'; frame-ancestors 'none'"
    location: str | None = None


NOTHING = Answer()


class Site:
    """What stands under which path, behind a token that nobody can guess."""

    def __init__(self, runs: Runs) -> None:
        self.token = secrets.token_urlsafe(32)
        self._root = f"/{self.token}/"
        self._runs = runs
        self._report = lru_cache(maxsize=4)(self._rendered)

    def answer(self, target: str) -> Answer:
        """The answer to a request for a target: a path, percent-encoded, and a query."""
        path, _, query = target.partition("?")
        empty, _, rest = path.partition("/")
        token, slash, rest = rest.partition("/")
        if empty or not secrets.compare_digest(token.encode("utf-8", "replace"), self.token.encode()):
            return NOTHING
        if not slash:
            return Answer(303, location=self._root)
        try:
            return self._at([os.fsdecode(unquote_to_bytes(word)) for word in rest.split("/")], query)
        except TrimtabError as error:
            return _shown(pages.notice(str(error)))

    def _at(self, words: list[str], query: str) -> Answer:
        match words:
            case [""]:
                names = self._runs.names()
                entries = [self._runs.entry(name) for name in names[:MOST]]
                return _shown(pages.listing(self._root, self._runs.folder, entries, len(names) - len(entries)))
            case ["run", name, *rest] if self._runs.path(name):
                return self._run(name, rest)
            case ["compare"]:
                a, b = (_picked(query, side) for side in "ab")
                return Answer(303, location=f"{self._root}compare/{part(a)}/{part(b)}")
            case ["compare", a, b, *rest] if self._runs.path(a) and self._runs.path(b):
                return self._comparison(a, b, rest)
            case _:
                return NOTHING

    def _run(self, name: str, rest: list[str]) -> Answer:
        entry = self._runs.entry(name)
        match rest:
            case []:
                return _shown(pages.frame(self._root, f"{self._root}run/{part(name)}", entry.script or name, entry))
            case ["page"]:
                return Answer(200, self._report(name, entry.version), "text/html", _REPORT)
            case ["version"]:
                return Answer(200, f"{entry.version} {entry.state}")
            case _:
                return NOTHING

    def _rendered(self, name: str, version: int) -> str:
        from trimtab.report import page

        run = snapshot(os.path.join(self._runs.folder, name), self._runs.judge)
        return page.render(run.diagnosis, run.trace)

    def _comparison(self, a: str, b: str, rest: list[str]) -> Answer:
        title = f"{a} and {b}"
        if not rest:
            return _shown(pages.frame(self._root, f"{self._root}compare/{part(a)}/{part(b)}", title))
        if rest != ["page"]:
            return NOTHING
        from trimtab.report import page
        from trimtab.report.comparison import compare

        first, second = (snapshot(os.path.join(self._runs.folder, name)).trace for name in (a, b))
        return Answer(200, page.of_document(compare(first, second), f"trimtab: {title}"), "text/html", _REPORT)


class Server(ThreadingHTTPServer):
    """Serves a site on 127.0.0.1; port 0 takes any that is free. Raises OSError where the port is taken."""

    daemon_threads = True
    allow_reuse_address = os.name == "posix"  # elsewhere it would let two servers share a port

    def __init__(self, runs: Runs, port: int = 0) -> None:
        self.site = Site(runs)
        super().__init__((_HOST, port), _Handler)
        self.hosts = frozenset({f"{_HOST}:{self.server_port}", f"localhost:{self.server_port}"})

    def handle_error(self, request: object, client_address: object) -> None:
        """One line for a fault of ours; none for a browser that went away."""
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):
            print(f"trimtab: a page could not be made ({type(error).__name__}: {error})", file=sys.stderr)

    @property
    def url(self) -> str:
        """Where the list is, with the token."""
        return f"http://{_HOST}:{self.server_port}/{self.site.token}/"


class _Handler(BaseHTTPRequestHandler):
    timeout = 20.0  # seconds: a connection that says nothing is closed

    def do_GET(self) -> None:
        self._send(self._answer())

    do_HEAD = do_GET

    def _answer(self) -> Answer:
        # A page of the world whose name is made to lead to this machine (DNS rebinding) still names itself here.
        assert isinstance(self.server, Server)
        hosts = self.headers.get_all("Host") or []
        return self.server.site.answer(self.path) if len(hosts) == 1 and hosts[0] in self.server.hosts else NOTHING

    def _send(self, answer: Answer) -> None:
        body = answer.text.encode("utf-8", "backslashreplace")
        self.send_response_only(answer.status)
        framed = "SAMEORIGIN" if IN_FRAME in answer.policy else "DENY"
        for key, value in (_HEADERS | {"X-Frame-Options": framed}).items():
            self.send_header(key, value)
        self.send_header("Content-Security-Policy", answer.policy)
        self.send_header("Content-Type", f"{answer.kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        if answer.location is not None:
            self.send_header("Location", answer.location)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Refuse what is no GET and no HEAD, or is no HTTP, with a bare number."""
        self.requestline, self.command = "", "HEAD"
        self._send(Answer(code))
        self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the token stands in every path."""


def _picked(query: str, side: str) -> str:
    """A name in the query of the form: the list has it percent-encoded, and the browser encodes that once more."""
    return os.fsdecode(unquote_to_bytes(parse_qs(query).get(side, [""])[0]))


def _shown(page: Page) -> Answer:
    return Answer(200, page.html, "text/html", page.policy)
