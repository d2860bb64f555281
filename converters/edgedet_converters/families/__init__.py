"""One file per family; `edgedet_converters.family.find` looks here, and in the folders that EDGEDET_FAMILIES names."""

import os

# A family of one's own needs no change to an installed package: its file lies in a folder of the user's.
__path__ = [*__path__, *filter(None, os.environ.get("EDGEDET_FAMILIES", "").split(os.pathsep))]
