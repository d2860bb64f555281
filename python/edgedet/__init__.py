"""Run MindSpore-trained vision models on small boards. See `load`, `ops` and the README."""

from edgedet import ops
from edgedet._core import __version__
from edgedet.bundle import Bundle
from edgedet.classifier import Classifier
from edgedet.detector import Detector
from edgedet.errors import (
    AnnotationError,
    BundleError,
    CheckpointError,
    ConversionError,
    EdgedetError,
    EndOfStream,
    InferenceError,
    ModelLoadError,
    RuntimeUnavailable,
    SinkError,
    SourceError,
    SourceTimeout,
    VerificationError,
)
from edgedet.region_detector import RegionDetector
from edgedet.region_scores import RegionScores
from edgedet.regions import RegionClassifier
from edgedet.results import Classification, ClassScore, Detection, Detections
from edgedet.tasks import load

__all__ = [
    "AnnotationError",
    "Bundle",
    "BundleError",
    "CheckpointError",
    "ClassScore",
    "Classification",
    "Classifier",
    "ConversionError",
    "Detection",
    "Detections",
    "Detector",
    "EdgedetError",
    "EndOfStream",
    "InferenceError",
    "ModelLoadError",
    "RegionClassifier",
    "RegionDetector",
    "RegionScores",
    "RuntimeUnavailable",
    "SinkError",
    "SourceError",
    "SourceTimeout",
    "VerificationError",
    "__version__",
    "load",
    "ops",
]
