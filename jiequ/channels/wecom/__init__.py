"""WeCom (企业微信): the staff's own chat. Callback, contacts, cards whose buttons move a case, sign-in."""
