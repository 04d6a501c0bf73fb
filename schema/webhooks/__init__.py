"""Webhooks over GraphQL: what the hub tells to which address, and what became of each telling."""
