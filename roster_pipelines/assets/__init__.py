"""The stages of the flow as Dagster assets, one module each: fetch, call, record.

What a stage needs that takes long to import (DuckDB, pandera, Ibis) is imported in its function: the code server and
the sensors load this package too, and every run is a new process that should pay only for what it does.
"""
