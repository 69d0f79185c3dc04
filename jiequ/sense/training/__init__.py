"""Training of the change net: a process of its own with torch, on a machine that has it; nothing here is imported by the product."""
