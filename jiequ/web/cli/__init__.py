"""The commands of ``./run`` (in a checkout) and ``jiequ`` (from a wheel). Importing this package imports nothing else."""
