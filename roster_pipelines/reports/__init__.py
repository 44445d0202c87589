"""What people are told of a delivery: files, lines, columns, counts and remedies, never a value of a person."""

from roster_pipelines.reports.data import as_json

__all__ = ["as_json"]
