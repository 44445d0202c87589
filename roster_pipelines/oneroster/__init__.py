"""The OneRoster standard: its tables and columns, its manifest, its file names. Pure: no files, no database."""
