"""The motion baseline: masks of what moves, without weights and without a look at the sentences."""
