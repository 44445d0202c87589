"""The planted faults: the proof that every rule finds what it should, where it is, and nothing else.

Each module has `GROUPS` of faults that do not disturb each other, so that one staging shows them all, and `FAULTS`,
every one of them. `test_catalogue` plants them.
"""
