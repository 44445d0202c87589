"""PostgreSQL: our tables (schema `roster`), the vendor's (schema `platform`), and what is written to them."""
