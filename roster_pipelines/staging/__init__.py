"""The staging database: one DuckDB file per delivery with raw, accepted and rejected rows and findings."""
