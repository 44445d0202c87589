"""Stand-ins for the world outside, for demo and tests: districts, and the sFTP server they upload to."""
