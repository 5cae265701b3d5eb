"""Sharing of trained models: bundles, their model cards, and the hub."""
