"""The `roster` command: what people do from a terminal. It reads and asks; Dagster does the work."""
