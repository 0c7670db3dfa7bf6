"""The audit: whether anything in the chain from bars to plan looks ahead."""
