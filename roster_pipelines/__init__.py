"""Rosters of school districts, taken in, checked and turned into rostered classes."""
