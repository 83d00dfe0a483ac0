"""Pure tensor functions: masks, padding, resizing."""
