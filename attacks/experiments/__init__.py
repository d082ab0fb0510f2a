"""Published figures, computed again: one file = one result of the literature, ending with EXPERIMENT = …"""
