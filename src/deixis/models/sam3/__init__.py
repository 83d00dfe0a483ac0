"""SAM 3 for videos, as the package ``transformers`` has it: a peer that is asked by noun phrases."""
