"""Licensing: who may use what, where, when, how and how often, and why not."""
