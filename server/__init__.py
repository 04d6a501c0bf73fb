"""How requests reach us and leave."""
