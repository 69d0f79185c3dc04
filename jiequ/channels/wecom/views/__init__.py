"""The pages and addresses of WeCom."""
