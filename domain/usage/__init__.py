"""Who uses which version, where and how much: reserved, confirmed or given up, and ended with its licence."""
