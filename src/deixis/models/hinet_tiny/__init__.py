"""hinet-tiny, the default: a small network finds what moves, the sentence chooses among it."""
