"""Two more adversaries, which share no code with the closure, and the comparison of all three."""
