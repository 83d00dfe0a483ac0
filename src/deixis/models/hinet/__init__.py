"""HINet: hierarchical interaction network for video object segmentation from referring expressions (2021)."""
