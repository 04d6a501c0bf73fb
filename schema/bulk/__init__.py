"""Operations on many assets over GraphQL."""
