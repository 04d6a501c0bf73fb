"""Triggers too many to stand beside the tables in their migration, one module per feature."""
