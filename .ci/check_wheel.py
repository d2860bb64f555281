"""What must be in a wheel and what must not: ``python check_wheel.py WHEEL``."""

from __future__ import annotations

import re
import sys
import zipfile
from email.parser import Parser

REQUIRED = (
    "edgedet/py.typed",
    "edgedet/_core.pyi",
    "edgedet/data/demo/model.json",
    "edgedet/cli/demo.py",
    "edgedet_converters/families/ssd_mobilenet_v2.py",
)
# A wheel is for devices: no tests, no examples, no C++ sources, nothing that was made by running it.
FORBIDDEN = re.compile(r"(^|/)(tests?|examples|benchmarks|csrc|\.ci|__pycache__)/|\.(c|cc|cpp|hpp|h|ckpt|a|pyc|txt)$")
ALLOWED = re.compile(r"\.dist-info/")
LARGEST = 20 << 20


def check(path: str) -> list[str]:
    """A sentence for everything that is wrong."""
    with zipfile.ZipFile(path) as wheel:
        names = wheel.namelist()
        (metadata,) = (name for name in names if name.endswith(".dist-info/METADATA"))
        needs = Parser().parsestr(wheel.read(metadata).decode()).get_all("Requires-Dist") or []
        size = sum(item.file_size for item in wheel.infolist())
    wrong = [f"missing: {name}" for name in REQUIRED if name not in names]
    wrong += [f"should not be there: {name}" for name in names if FORBIDDEN.search(name) and not ALLOWED.search(name)]
    if not any(re.fullmatch(r"edgedet/_core\..*\.so", name) for name in names):
        wrong.append("missing: the compiled module edgedet/_core")
    if not any(name.endswith("LICENSE") for name in names):
        wrong.append("missing: LICENSE")
    always = sorted(re.split(r"[^\w-]", need)[0] for need in needs if "extra ==" not in need)
    if always != ["numpy", "opencv-python"]:
        wrong.append(f"should need numpy and opencv-python only, needs {always}")
    if size > LARGEST:
        wrong.append(f"should unpack to less than {LARGEST} bytes, has {size}")
    print(f"{path}: {len(names)} files, {size / 1e6:.1f} MB unpacked")
    return wrong


if __name__ == "__main__":
    problems = check(sys.argv[1])
    print("\n".join(problems) or "as it should be")
    sys.exit(bool(problems))
