"""Letters to staff by SMTP: the last way of the chain."""
