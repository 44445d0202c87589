"""What can go wrong, by what must happen next.

RosterError
├── TryAgain        nothing is wrong with the data or the settings: the same call may succeed later
├── CallSomebody    a person must change something: a setting, a secret, a key, a server
└── LookAtData      the data itself is refused

Every error is one line for a person: what happened and where, then what to do. No error carries a value of a
person or a secret.
"""


class RosterError(Exception):
    """A failure that a person can read and act upon.

    Args:
        what: What happened and where, as a phrase without a full stop.
        do: What to do about it, as a phrase without a full stop.
    """

    def __init__(self, what: str, do: str) -> None:
        self.what = what
        self.do = do
        super().__init__(f"{what}: {do}")


class TryAgain(RosterError):
    """A passing fault, such as a connection that was cut; retrying is the remedy."""


class CallSomebody(RosterError):
    """A fault that stays until a person changes something; retrying is useless."""


class LookAtData(RosterError):
    """The data cannot be used; the last good state stays."""
