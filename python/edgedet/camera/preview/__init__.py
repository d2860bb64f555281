"""A live page for a browser: what the camera sees, what is found in it, and how old it is."""

from edgedet.camera.preview.preview import Preview

__all__ = ["Preview"]
