"""The published ways of scoring, each under its own name: ``base`` is the contract, ``table`` the list."""
