"""The staging database: one DuckDB file per delivery with the roster's rows, the rejected ones, and findings."""
