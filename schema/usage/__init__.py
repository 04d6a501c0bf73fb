"""Reservations and the register of usage over GraphQL."""
