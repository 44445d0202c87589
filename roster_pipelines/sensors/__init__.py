"""What starts runs: each sensor reads the world, calls a pure `decide`, and returns."""

# The daemon looks every five seconds for sensors that are due; one that is due after five is missed half the time.
EVERY_LOOK = 3
