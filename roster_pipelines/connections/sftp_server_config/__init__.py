"""The vendor's own sFTP server, written from the registry: accounts, configuration, installation. Text in, text out."""
