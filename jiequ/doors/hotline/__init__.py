"""12345 work orders in and out."""
