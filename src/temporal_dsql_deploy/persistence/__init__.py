"""The default store, read and mended by SQL: Aurora DSQL, or PostgreSQL in its place."""
