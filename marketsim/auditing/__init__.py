"""The audit: whether anything in the chain from bars to plan knows what it could not have known."""
