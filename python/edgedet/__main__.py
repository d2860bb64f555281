"""``python -m edgedet`` is the command `edgedet`."""

import sys

from edgedet.cli import main

if __name__ == "__main__":
    sys.exit(main())
