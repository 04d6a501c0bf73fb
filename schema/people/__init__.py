"""People, service accounts, teams, roles and grants over GraphQL."""
