"""The training recipes by name."""
