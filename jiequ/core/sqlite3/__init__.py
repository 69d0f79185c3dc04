"""Django's SQLite backend with WAL, synchronous=FULL, IMMEDIATE transactions and a fair file lock around every write."""
