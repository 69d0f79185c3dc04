"""Training of the change net: a process of its own, with torch, on a machine that has it; the product imports none of it."""
