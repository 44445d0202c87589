"""Resolve a secret reference at the moment of its use; nothing keeps the value."""

import os
import re
from pathlib import Path

from roster_pipelines.errors import CallSomebody


def resolve(reference: str) -> str:
    """Read a secret.

    Args:
        reference: `env:NAME` or `file:/path`.

    Returns:
        The secret, without a line end behind it.

    Raises:
        CallSomebody: It is not there.
    """
    kind, _, place = reference.partition(":")
    if kind == "env":
        value = os.environ.get(place)
        if not value:
            raise CallSomebody(f"the secret {reference} is not set", f"set {place} where the pipelines run")
        return value
    try:
        return Path(place).read_text("utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise CallSomebody(
            f"the secret {reference} cannot be read ({type(error).__name__})",
            "put it there, readable for the pipelines",
        ) from None


def is_key(value: str) -> bool:
    """Say whether a secret can be one that is sent as it is, in a header."""
    return re.fullmatch("[!-~]+", value) is not None
