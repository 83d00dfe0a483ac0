"""STCN: space-time correspondence network (2021)."""
