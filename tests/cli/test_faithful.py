"""A program sees no difference between `python` and `trimtab run`."""

from __future__ import annotations

import py_compile
import re
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Both = Callable[..., tuple[Any, Any]]

PROBE = """
import os, sys
def told(value):
    name = type(value).__name__
    if name == "ModuleSpec":
        return name, value.name, value.origin, value.parent, value.cached, told(value.loader)
    if "Loader" in name or "Importer" in name or name == "zipimporter":
        return name, getattr(value, "name", None), getattr(value, "path", None)
    return value.__name__ if name in ("module", "function") else value
if __name__ == "__main__":
    print([(key, told(value)) for key, value in list(globals().items())])
    print(sys.argv, sys.orig_argv, sys.path, os.getcwd(), sys.executable, sys.flags, sys.warnoptions)
    print(sys.modules["__main__"].__dict__ is globals(), sorted(os.environ), sys.excepthook is sys.__excepthook__)
    print(sys.stdin.fileno(), sys.stdout.fileno(), sys.stderr.fileno(), sys.stdout is sys.__stdout__)
    print(repr(sys.stdin.read()), input if len(sys.argv) > 9 else None)
    heavy = {"torch", "numpy", "rich", "altair", "pandas"} & set(sys.modules)
    print("imported beforehand:", heavy)
    import sibling
    import inspect, pickle, linecache, dataclasses
    @dataclasses.dataclass
    class Point:
        x: int
    print(pickle.loads(pickle.dumps(Point(3))), inspect.getsource(Point), linecache.getline(__file__, 2))
    print(told.__module__, __import__("__main__").told is told, open(__file__, "rb").read(4))
"""


@pytest.fixture
def probe(tmp_path: Path) -> Path:
    (tmp_path / "sibling.py").write_text("print('sibling', __name__)\n")
    (tmp_path / "probe.py").write_text(PROBE)
    return tmp_path


@pytest.mark.parametrize("name", ["probe.py", "./probe.py", "sub/../probe.py", "sub/link.py"])
def test_a_script_is_run_as_python_runs_it(both: Both, probe: Path, name: str) -> None:
    (probe / "sub").mkdir()
    (probe / "sub" / "link.py").symlink_to(probe / "probe.py")
    plain, watched = both(name, "--json", "-m", "x y", "", "--", stdin="line one\nline two")
    assert watched == plain
    assert "imported beforehand: set()" in plain.out


def test_an_absolute_path_and_unusual_names(both: Both, probe: Path) -> None:
    path = probe / "no suffix é"
    path.write_text(PROBE)
    plain, watched = both(str(path), "-q")
    assert watched == plain
    assert plain.code == 0


SAFE = [("-P",)] if sys.version_info >= (3, 11) else []


@pytest.mark.parametrize("flags", [*SAFE, ("-O", "-W", "error"), ("-X", "utf8=0", "-u")])
def test_flags_of_the_interpreter_hold(both: Both, probe: Path, flags: tuple[str, ...]) -> None:
    plain, watched = both("probe.py", flags=flags)
    assert watched == plain
    assert ("No module named 'sibling'" in plain.err) == (flags == ("-P",))


@pytest.mark.parametrize("words", [("-m", "package"), ("-mpackage.part",), ("-m", "probe"), ("package",), ("app.zip",)])
def test_modules_folders_and_archives(both: Both, probe: Path, words: tuple[str, ...]) -> None:
    package = probe / "package"
    package.mkdir()
    (package / "__init__.py").write_text("import sys; print(sys.argv, __name__)\n")
    (package / "__main__.py").write_text(PROBE)
    (package / "sibling.py").write_text("print('inner', __name__)\n")
    (package / "part.py").write_text(PROBE)
    with zipfile.ZipFile(probe / "app.zip", "w") as archive:
        archive.writestr("__main__.py", "import sys, helper\nprint(__spec__.name, sys.argv, sys.path[0], [*globals()])")
        archive.writestr("helper.py", "raise KeyError('from the archive')")
    plain, watched = both(*words, "--html", "x")
    plain_code = 1 if words == ("app.zip",) else 0
    assert watched == plain
    assert plain.code == plain_code


EXITS = {
    "none": "sys.exit()",
    "zero": "sys.exit(0)",
    "number": "sys.exit(7)",
    "true": "sys.exit(True)",
    "large": "sys.exit(2**40)",
    "negative": "sys.exit(-1)",
    "text": "print('out'); sys.exit('that was it')",
    "object": "sys.exit(['a', 1])",
    "raised": "raise SystemExit",
    "subclass": "class Done(SystemExit): pass\nraise Done(5)",
    "os": "sys.stdout.flush(); import os; os._exit(9)",
    "plain": "def f(x):\n    return 1 / x\nf(0)",
    "chained": "try:\n    {}['a']\nexcept KeyError as e:\n    raise ValueError('b') from e",
    "context": "try:\n    {}['a']\nexcept KeyError:\n    int('x')",
    "suppressed": "try:\n    {}['a']\nexcept KeyError:\n    raise ValueError from None",
    "base": "class Odd(BaseException): pass\nraise Odd('odd')",
    "imported": "import broken",
    "absent": "import does_not_exist",
    "unparsable": "import unparsable",
    "recursive": "a = ValueError('a'); b = ValueError('b'); a.__cause__ = b; b.__cause__ = a\nraise a",
    "hook": "sys.excepthook = lambda *e: print('hook', e[0].__name__, e[2].tb_lineno, e[2].tb_next)\n1/0",
    "bad hook": "def hook(*e):\n    raise KeyError('in hook')\nsys.excepthook = hook\n1/0",
    "exiting hook": "sys.excepthook = lambda *e: sys.exit(4)\n1/0",
    "last value": "import atexit; atexit.register(lambda: print(sys.last_value, sys.last_traceback.tb_lineno)); 1/0",
    "note": "e = ValueError('x'); getattr(e, 'add_note', print)('noted'); raise e",
    "print_exc": "import traceback\ntry:\n    1/0\nexcept Exception:\n    traceback.print_exc()",
}


@pytest.mark.parametrize("body", EXITS.values(), ids=EXITS.keys())
def test_exit_codes_and_tracebacks(both: Both, tmp_path: Path, body: str) -> None:
    (tmp_path / "broken.py").write_text("def f():\n    raise RuntimeError('while importing')\nf()\n")
    (tmp_path / "unparsable.py").write_text("def f(:\n")
    (tmp_path / "ends.py").write_text(f"import sys\n{body}\n")
    plain, watched = both("ends.py")
    assert watched == plain


@pytest.mark.parametrize("body", [EXITS["chained"], EXITS["number"], EXITS["unparsable"]])
def test_tracebacks_of_modules(both: Both, tmp_path: Path, body: str) -> None:
    (tmp_path / "unparsable.py").write_text("def f(:\n")
    (tmp_path / "ends.py").write_text(f"import sys\n{body}\n")
    plain, watched = both("-m", "ends")
    assert watched == plain


GROUPS = """
def f(): raise ValueError("inner")
errors = []
for _ in range(2):
    try: f()
    except ValueError as e: errors.append(e)
try: raise ExceptionGroup("outer", [ExceptionGroup("nested", errors[:1]), errors[1]])
except ExceptionGroup as group: raise RuntimeError("last") from group
"""


AFTERWARDS = """
import atexit, sys, threading, time, weakref
def last(word):
    print(word, "__file__" in sys.modules["__main__"].__dict__, threading.main_thread().is_alive())
atexit.register(last, "first registered")
atexit.register(last, "second registered")
atexit.register(lambda: 1 / 0)
class Canary:
    def __del__(self): print("collected")
canary = Canary()
def work():
    time.sleep(0.2)
    print("thread done")
    atexit.register(last, "registered by the thread")
threading.Thread(target=work).start()
def fail(): raise ValueError("in a thread")
threading.Thread(target=fail, name="failing").start()
print("main done")
if len(sys.argv) > 1: exec(sys.argv[1])
"""


@pytest.mark.parametrize("argument", [[], ["sys.exit(3)"], ["1/0"]])
def test_what_comes_after_the_last_line(both: Both, tmp_path: Path, argument: list[str]) -> None:
    (tmp_path / "after.py").write_text(AFTERWARDS)
    plain, watched = both("after.py", *argument)
    assert (watched.code, watched.out, _lines(watched.err)) == (plain.code, plain.out, _lines(plain.err))


def _lines(text: str) -> list[str]:
    """Lines without addresses, in any order: a failing thread and the main program write at the same time."""
    return sorted(re.sub("0x[0-9a-f]+", "0x", text).splitlines())


PROCESSES = """
import multiprocessing, os, sys, signal
class Item:
    def __init__(self, n): self.n = n
def square(item): return item.n ** 2, __name__, os.path.basename(sys.argv[0]), sys.argv[1:]
def sleep():
    import time
    time.sleep(60)
if __name__ == "__main__":
    for method in ("fork", "spawn"):
        context = multiprocessing.get_context(method)
        with context.Pool(1) as pool:
            print(method, pool.map(square, [Item(2), Item(3)]))
    children = [multiprocessing.get_context("fork").Process(target=sleep) for _ in range(20)]
    for child in children:
        child.start()
        child.terminate()
        child.join()
    print("terminated", {child.exitcode for child in children})
    sys.stdout.flush()
    if os.fork() == 0:
        print("child ends", flush=True)
        sys.exit(5)
    print("child gave", os.waitstatus_to_exitcode(os.wait()[1]))
"""


def test_processes(both: Both, tmp_path: Path) -> None:
    (tmp_path / "processes.py").write_text(PROCESSES)
    plain, watched = both("processes.py", "x")
    assert watched == plain
    assert "terminated {-15}" in plain.out
    assert "child gave 5" in plain.out


@pytest.mark.skipif(sys.version_info < (3, 11), reason="3.10 has no exception groups")
def test_groups(both: Both, tmp_path: Path) -> None:
    (tmp_path / "groups.py").write_text(GROUPS)
    plain, watched = both("groups.py")
    assert watched == plain
    assert plain.code == 1


def test_the_program_may_change_its_folder_and_lose_its_streams(both: Both, tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "moves.py").write_text(MOVES)
    plain, watched = both("moves.py")
    assert watched == plain
    assert (tmp_path / ".run.db").exists()


MOVES = """
import os, sys
os.chdir("inner")
print(os.listdir())
sys.stderr.close()
sys.stdout = sys.stderr = None
"""


def test_bytecode(both: Both, probe: Path) -> None:
    py_compile.compile(str(probe / "probe.py"), str(probe / "probe.pyc"))
    (probe / "probe.py").unlink()
    plain, watched = both("probe.pyc")
    assert watched == plain


def test_what_is_set_before_torch_is_imported_has_its_effect(both: Both, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    (tmp_path / "threads.py").write_text(THREADS)
    plain, watched = both("threads.py", OMP_NUM_THREADS="1")
    assert watched == plain


THREADS = """
import os
os.environ["OMP_NUM_THREADS"] = "2"
import torch, sys
print(torch.get_num_threads(), torch.__file__, type(torch.__spec__.loader))
print([type(finder).__name__ for finder in sys.meta_path], vars(torch.__spec__.loader))
"""
