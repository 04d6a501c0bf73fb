"""What the words of the trade mean, and what is refused."""
