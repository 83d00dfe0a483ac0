"""Trained models over videos of any length."""
