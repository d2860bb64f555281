"""The error tree. Every error is edgedet's and Python's, and reads *what: expected …, got …; do …*."""

from __future__ import annotations


class EdgedetError(Exception):
    """The base of every error that edgedet raises on purpose, apart from ValueError for wrong arguments."""


class BundleError(EdgedetError, ValueError):
    """A bundle that is not whole: a missing or changed file, a wrong key, a head that does not fit its network."""


class RuntimeUnavailable(EdgedetError, ImportError):  # noqa: N818  reads as what it says
    """No inference runtime that can run this variant is present here."""


class ModelLoadError(EdgedetError, RuntimeError):
    """A runtime refused a model file."""


class InferenceError(EdgedetError, RuntimeError):
    """A runtime failed while it ran a model."""


class SourceError(EdgedetError, OSError):
    """An image, a video or a camera that could not be read."""


class SourceTimeout(SourceError, TimeoutError):  # noqa: N818  reads as what it says
    """A source that gave no frame in time; it may yet."""


class EndOfStream(EdgedetError, EOFError):  # noqa: N818  no error, an end
    """A source that has given its last frame."""


class SinkError(EdgedetError, OSError):
    """A file, a broker or a screen that did not take a result."""


class ConversionError(EdgedetError, RuntimeError):
    """A checkpoint could not be turned into a bundle."""


class CheckpointError(EdgedetError, ValueError):
    """A checkpoint that is damaged, or that does not belong to the family it was given for."""


class AnnotationError(EdgedetError, ValueError):
    """A file of boxes around things that can't be read, or that does not fit its pictures."""


class VerificationError(EdgedetError):
    """A bundle whose answers differ from its checkpoint's by more than its precision allows."""
