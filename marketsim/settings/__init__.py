"""What a user may choose, and where each choice came from."""
