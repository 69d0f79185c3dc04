"""WeChat, WeCom, DingTalk, SMS and mail as they behave, for a machine without them. Imports nothing of ``jiequ``."""
