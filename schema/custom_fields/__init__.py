"""Fields of the brand's own over GraphQL: what they are, what they say of assets, and how that is written and asked."""
