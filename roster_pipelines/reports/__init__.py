"""What people are told of a delivery: files, lines, columns, counts and remedies, never a value of a person."""
