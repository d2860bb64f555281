"""How good a model is: a bundle against its checkpoint, and detections against a labelled set."""
