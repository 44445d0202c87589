"""The domain: who is who, who may use what and why, what would change.

Pure: every function takes a DuckDB connection that holds the named tables and adds a table to it. The roster, the
accepted rows of a delivery, is attached as `roster`; the vendor's rows of this one district are `sign_in`,
`account`, `access_code` and `licence`.
"""
