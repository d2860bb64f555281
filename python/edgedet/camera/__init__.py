"""Frames in and out: cameras, streams, generated scenes, and what is done with the results."""
