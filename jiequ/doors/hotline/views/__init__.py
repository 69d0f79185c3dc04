"""The pages of hotlines."""
