"""RefVOS: a closer look at referring expressions for video object segmentation (2020)."""
