from __future__ import annotations

from pathlib import Path

import nox

nox.options.default_venv_backend = "venv"
nox.options.sessions = ["lint", "types", "cpp", "tests-3.11"]
TOOLS = ".ci/tools.txt"
# The Pythons that MindSpore has wheels for; elsewhere the tests of the conversion are left out.
CONVERT = ("3.10", "3.11", "3.12")


@nox.session(python=["3.9", "3.10", "3.11", "3.12", "3.13"])
def tests(session: nox.Session) -> None:
    """The suite."""
    if session.python in CONVERT:
        session.install(".[convert,onnx,test]")
        session.run("pytest", "-m", "not full", *session.posargs)
    else:
        session.install(".[onnx,test]")
        session.run("pytest", "-m", "not convert and not full", *session.posargs)


@nox.session(python="3.9")
def mintest(session: nox.Session) -> None:
    """The device half on the lowest versions that pyproject.toml allows."""
    session.install(".[onnx,test]", "numpy==1.22.*", "opencv-python==4.5.1.*", "onnxruntime==1.16.*", "onnx==1.15.*")
    session.run("pytest", "-m", "not convert and not full", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Style of the Python and of the C++ files."""
    session.install("-r", TOOLS)
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    sources = sorted(
        str(path) for top in ("csrc", "tests/cpp", "benchmarks/cpp") for path in Path(top).rglob("*.[ch]pp")
    )
    session.run("clang-format", "--dry-run", "-Werror", *sources)


@nox.session
def types(session: nox.Session) -> None:
    """Mypy, strict."""
    session.install("-r", TOOLS)
    session.run("mypy")


@nox.session
def cpp(session: nox.Session) -> None:
    """The kernels' own tests under AddressSanitizer and UndefinedBehaviorSanitizer; no Python involved."""
    session.install("-r", TOOLS)
    session.run("cmake", "--preset", "asan")
    session.run("cmake", "--build", "--preset", "asan")
    session.run("ctest", "--preset", "asan")
