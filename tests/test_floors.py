"""The house's floors: a module may import from its own floor and from those below, never from above."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import edgedet

ROOT = Path(edgedet.__file__).parent
# A module without an entry of its own has its package's floor.
FLOORS = {
    "edgedet": 7,  # the public names: nothing inside may import them from here
    "edgedet.__main__": 7,
    "edgedet._core": 1,
    "edgedet.errors": 2,
    "edgedet.strict": 2,
    "edgedet.results": 2,
    "edgedet.region_scores": 2,
    "edgedet.drawing": 2,
    "edgedet.ops": 3,
    "edgedet.pixels": 2,
    "edgedet.heads": 3,
    "edgedet.svm_head": 3,
    "edgedet.spec": 3,
    "edgedet.bundle": 4,
    "edgedet.network": 4,
    "edgedet.image": 4,
    "edgedet.runtime": 4,
    "edgedet.model": 5,
    "edgedet.tasks": 5,
    "edgedet.detector": 5,
    "edgedet.classifier": 5,
    "edgedet.regions": 5,
    "edgedet.region_detector": 5,
    "edgedet.region_postprocess": 5,
    "edgedet.proposals": 5,
    "edgedet.spp": 5,
    "edgedet.views": 5,
    "edgedet.camera": 5,
    "edgedet.camera.pipeline": 6,
    "edgedet.diagnose": 6,
    "edgedet.evaluate": 6,
    "edgedet.cli": 7,
}
OPTIONAL = (
    "mindspore",
    "mindspore_lite",
    "onnx",
    "onnxruntime",
    "supervision",
    "paho",
    "torch",
    "pycocotools",
    "gi",
    "picamera2",
    "aiohttp",
    "prometheus_client",
    "sklearn",
)
# Modules that are imported as a whole only where they are used, for all that they do is done with that package.
ALLOWED = {
    "edgedet.camera.preview.door": {"aiohttp"},
    "edgedet.camera.preview.guard": {"aiohttp"},
    "edgedet.camera.preview.metrics": {"prometheus_client"},
    "edgedet.camera.preview.server": {"aiohttp", "prometheus_client"},
}
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


def module_name(path: Path) -> str:
    parts = ["edgedet", *path.relative_to(ROOT).with_suffix("").parts]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


SOURCES = {module_name(path): path for path in sorted(ROOT.rglob("*.py"))}


def floor(module: str) -> int:
    while module not in FLOORS:
        module = module.rpartition(".")[0]
    return FLOORS[module]


def is_module(name: str) -> bool:
    return name in SOURCES or name == "edgedet._core"


def imports(source: str, *, lazy: bool = True) -> Iterator[str]:
    """Every module that the source imports; without ``lazy``, only what importing it imports."""
    waiting: list[ast.AST] = [ast.parse(source)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0 and node.module, "relative import: name the module in full"
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if is_module(inner) else node.module
        typing_only = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        if lazy or not (isinstance(node, FUNCTIONS) or typing_only):
            waiting.extend(ast.iter_child_nodes(node))


def upward(module: str, source: str) -> list[str]:
    """The imports of the source that lead to a higher floor than the module's own."""
    own = [name for name in imports(source) if name.partition(".")[0] == "edgedet"]
    return sorted(name for name in own if floor(name) > floor(module))


@pytest.mark.parametrize("module", SOURCES)
def test_no_import_leads_upward(module: str) -> None:
    assert upward(module, SOURCES[module].read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("module", "source", "found"),
    [
        ("edgedet.ops", "from edgedet import bundle", ["edgedet.bundle"]),
        ("edgedet.ops", "import edgedet.cli", ["edgedet.cli"]),
        ("edgedet.ops", "from edgedet.errors import BundleError", []),
        ("edgedet.runtime.onnx", "def f():\n    from edgedet.detector import Detector", ["edgedet.detector"]),
        ("edgedet.detector", "from edgedet import load", ["edgedet"]),
        ("edgedet.detector", "from edgedet import ops, spec", []),
        ("edgedet.camera.sources", "import edgedet.camera.pipeline", ["edgedet.camera.pipeline"]),
    ],
)
def test_an_upward_import_is_found(module: str, source: str, found: list[str]) -> None:
    assert upward(module, source) == found


def test_every_module_is_known() -> None:
    strangers = [name for name in SOURCES if name != "edgedet" and floor(name) == FLOORS["edgedet"]]
    allowed = ("edgedet.cli", "edgedet.__main__")
    assert [name for name in strangers if not name.startswith(allowed)] == [], "give the new module a floor"
    assert len(SOURCES) > 15


@pytest.mark.parametrize("module", SOURCES)
def test_optional_packages_are_imported_where_they_are_used(module: str) -> None:
    outside = {name.partition(".")[0] for name in imports(SOURCES[module].read_text(encoding="utf-8"), lazy=False)}
    outside -= ALLOWED.get(module, set())
    assert not outside & {*OPTIONAL, "edgedet_converters"}
    standard = getattr(sys, "stdlib_module_names", None)  # Python 3.10
    if standard is not None:
        assert outside - standard <= {"edgedet", "numpy", "cv2"}


@pytest.mark.parametrize("module", [name for name in SOURCES if not name.startswith("edgedet.cli")])
def test_only_the_commands_know_the_converters(module: str) -> None:
    assert "edgedet_converters" not in SOURCES[module].read_text(encoding="utf-8")
    outside = {name.partition(".")[0] for name in imports(SOURCES[module].read_text(encoding="utf-8"))}
    assert not outside & {"mindspore", "onnx"}


def test_importing_edgedet_imports_nothing_optional() -> None:
    modules = ["edgedet", *(name for name in SOURCES if "__main__" not in name and name not in ALLOWED)]
    code = "import sys, importlib\n"
    code += "".join(f"importlib.import_module({name!r})\n" for name in modules)
    code += f"print(sorted(set({[*OPTIONAL, 'edgedet_converters']!r}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"
