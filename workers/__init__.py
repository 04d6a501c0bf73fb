"""What happens when nobody is waiting: renditions, metadata, the search index, upkeep."""
