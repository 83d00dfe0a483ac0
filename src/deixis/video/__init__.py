"""Pixels in and out: sources, sinks, overlays."""
