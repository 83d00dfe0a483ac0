"""CFBI: collaborative video object segmentation by foreground-background integration (2020)."""
