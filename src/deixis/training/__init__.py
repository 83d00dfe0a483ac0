"""Training: a recipe in, a checkpoint out."""
