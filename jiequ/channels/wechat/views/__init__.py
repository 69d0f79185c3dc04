"""The official account's callback and the administrator's page of channels."""
