"""Licensing over GraphQL: what may be used where, by whom and how, and what stands against it."""
