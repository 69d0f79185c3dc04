"""The pages of this app: signing in, one's own things, staff, duty rota, security."""
