"""The journal: plans that were sealed before their session, each chained to the one before."""
