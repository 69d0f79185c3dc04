"""The door of cards: what a button on a WeCom card does to a case, by the very services the pages use."""
