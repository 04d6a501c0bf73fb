"""Suppliers and what is bought from them, over GraphQL."""
