"""Writes the samples of the newest schema that are not there yet: ``python tests/data/bundles/make.py``.

What lies here is what users have: a bundle of every schema that was ever released must load for ever, so a sample is
never made anew, only added.
"""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).parent


def main() -> None:
    sys.path.insert(0, str(HERE.parents[1]))
    from bundles import toy_bundle
    from toyspp import spp_bundle
    from toysvm import svm_bundle

    from edgedet.spec import SCHEMA

    for name, write in (("detect", toy_bundle), ("classify", spp_bundle), ("regions", svm_bundle)):
        folder = HERE / f"schema-{SCHEMA}-{name}"
        if not folder.exists():
            print(write(folder))


if __name__ == "__main__":
    main()
