"""A rendered world with exact masks, flow and sentences, to train and test in."""
