"""The release that this is a double of."""

__version__ = "2.6.0"
