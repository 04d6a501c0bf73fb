"""Near-duplicates over GraphQL."""
