"""Measures of segmentation by language, identical to the official ones."""
