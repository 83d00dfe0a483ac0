"""Losses and matching as functions of tensors."""
