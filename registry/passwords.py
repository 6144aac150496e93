"""The rules of passwords, after NIST SP 800-63B: length and a list of common passwords, no rules of composition.

`common_passwords.txt` beside this module holds common passwords of eight or more characters in small letters (the list
that Django ships, by Royce Williams, from published leaks).
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from importlib import resources

LEAST_CHARS = 12
LEAST_WITH_TOTP_CHARS = 8
MOST_CHARS = 256
DISTINCT_CHARS = 5
PRODUCT_NAME = "liftwatch"
OWN_WORD_CHARS = 3
_AFFIX = re.compile(r"^[\W\d_]+|[\W\d_]+$")
_WORD_BREAK = re.compile(r"[\W_]+")


def normal_password(password: str) -> str:
    """Return a password in the form that is hashed, the same from every keyboard."""
    return unicodedata.normalize("NFKC", password)


def password_fault(password: str, own_words: tuple[str, ...], has_totp: bool = False) -> str | None:
    """Return why a password is refused (`short`, `long`, `common` or `derived`), or None.

    `own_words` are the login and the name of the person; what a password adds to them and to the name of the product
    must be long enough by itself.
    """
    password = normal_password(password)
    if len(password) < (LEAST_WITH_TOTP_CHARS if has_totp else LEAST_CHARS):
        return "short"
    if len(password) > MOST_CHARS:
        return "long"
    folded = password.casefold()
    forms = {folded, _AFFIX.sub("", folded)}
    if len(set(folded)) < DISTINCT_CHARS or not common_passwords().isdisjoint(forms):
        return "common"
    return "derived" if _is_derived(folded, own_words) else None


def _is_derived(folded: str, own_words: tuple[str, ...]) -> bool:
    words = {
        part for word in (*own_words, PRODUCT_NAME) for part in _WORD_BREAK.split(normal_password(word).casefold())
    }
    rest = folded
    for word in sorted(set(words), key=len, reverse=True):
        if len(word) >= OWN_WORD_CHARS:
            rest = rest.replace(word, "")
    return rest != folded and len(rest) < LEAST_WITH_TOTP_CHARS


@cache
def common_passwords() -> frozenset[str]:
    """Return the list of common passwords."""
    listed = resources.files(__package__).joinpath("common_passwords.txt").read_text(encoding="utf-8")
    return frozenset(listed.splitlines())
