"""WeCom (企业微信): contacts, application messages with cards, sign-in, callbacks."""
