"""A DingTalk group's robot: it hears of what the house must not sleep through, never a resident's words."""
