"""How our words are spoken in GraphQL."""
