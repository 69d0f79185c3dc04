"""智汇查违: suspected illegal construction found by comparing repeated flights."""
