"""What is kept: rows, bytes, the search index and jobs, and nothing about who asks for them."""
