"""The referring models, one folder each, behind the contract of ``base.py``."""
