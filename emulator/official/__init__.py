"""An official account (服务号): its API, and what its followers do."""
