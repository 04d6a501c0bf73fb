"""How well near-duplicates are found, how fast, and in how much memory."""
