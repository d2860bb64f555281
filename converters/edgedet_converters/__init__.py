"""The host half of edgedet: MindSpore checkpoints in, bundles out."""
