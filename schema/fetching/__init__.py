"""Upload sessions over GraphQL: many files at once, from uploads, addresses, a ZIP or a bucket."""
