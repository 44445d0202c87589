"""From a district's connection to a delivery: fetch, copy, hash, write the receipt."""
