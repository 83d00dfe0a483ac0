"""Expressions to tokens, and tokens to features. ``TEXT_ENCODERS`` names the architectures, ``build`` makes one."""
