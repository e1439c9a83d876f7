"""user_features from the log tables, with DuckDB and Polars computing the same columns from the same files."""
