"""The journal: plans sealed before their session, each chained to the previous one."""
