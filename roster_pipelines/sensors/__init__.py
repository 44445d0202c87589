"""What starts runs: each sensor reads the world, calls a pure `decide`, and returns."""
