"""What the real package warns of at its import, through Python's root logger."""

import logging
import os


def check() -> None:
    """Warns where CANN is not set up, and lets it be."""
    if "ASCEND_HOME_PATH" not in os.environ:
        logging.warning("Found no Ascend home path, please set env ASCEND_HOME_PATH")
