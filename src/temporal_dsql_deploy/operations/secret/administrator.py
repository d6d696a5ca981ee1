"""Grafana's administrator as its secret holds it, and what a password may be."""

import json
import re
import secrets
import string
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from temporal_dsql_deploy.errors import InvalidSetting

USER_KEY = "admin_user"
PASSWORD_KEY = "admin_password"  # noqa: S105 - the name of a key
"""The keys that the container of Grafana reads (terraform/modules/observability/grafana.tf)."""
USER = "admin"
LENGTH = 40
"""Characters of a generated password: 238 bits."""
SHORTEST = 8
LONGEST = 256
ALPHABET = string.ascii_letters + string.digits
"""Nothing that a shell, a URL, JSON or Grafana's configuration reads as more than itself."""
# Grafana replaces these in every value, also of its environment: its expanders
# (pkg/setting/expanders.go) the first, its reader of ini files (go-ini/ini, key.go) the second.
_EXPANDED = re.compile(r"\$(__\w+)?\{|%\([^)]*\)s")


@dataclass(frozen=True, slots=True)
class Administrator:
    """Who may do everything in Grafana."""

    user: str
    password: str = field(repr=False)
    others: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """Whatever else stands in the secret, which is kept."""

    def document(self) -> str:
        """The secret's text."""
        return json.dumps({**self.others, USER_KEY: self.user, PASSWORD_KEY: self.password})


def parse(text: str | None) -> Administrator:
    """Of a secret's text. Raises ValueError, which says what is wrong and nothing of the text."""
    try:
        made = json.loads(text or "")
    except ValueError:
        # Not even where it ends to be JSON: its text may be a password.
        raise ValueError("it is no JSON") from None
    if not isinstance(made, dict):
        raise ValueError("it is JSON, but no object with keys")
    for key in (USER_KEY, PASSWORD_KEY):
        if not isinstance(made.get(key), str) or not made[key]:
            raise ValueError(f"it has no {key}" if key not in made else f"its {key} is no text")
    user, password = made.pop(USER_KEY), made.pop(PASSWORD_KEY)
    return Administrator(user, password, made)


def generate() -> str:
    """A new password."""
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


def check_password(password: str) -> str:
    """A password of one's own, if Grafana gets it as it is.

    Raises InvalidSetting, which does not repeat it.
    """
    if wrong := _wrong_password(password):
        raise InvalidSetting(
            "this password cannot be the administrator's",
            cause=wrong,
            fix="give another one, or leave --password-from-stdin out: one is generated then",
        )
    return password


def check_user(user: str) -> str:
    """A user name, if it can be one. Raises InvalidSetting."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,189}", user):
        raise InvalidSetting(
            f"--user {user!r} is not right",
            cause="it is letters, digits and . _ @ + -, and begins with a letter or digit",
            fix=f"such as --user {USER}",
        )
    return user


def _wrong_password(password: str) -> str:
    if not SHORTEST <= len(password) <= LONGEST:
        return f"it has {len(password)} characters, and {SHORTEST} to {LONGEST} may be"
    if not password.isprintable() or password != password.strip():
        return "it begins or ends with a space, or has characters that cannot be typed"
    if _EXPANDED.search(password):
        return "Grafana takes ${…}, $__name{…} and %(…)s in it for something to be replaced"
    return ""
