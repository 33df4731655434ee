"""Secrets as they are handed out, and what the register keeps of them: a hash, never the secret.

A secret holds 256 random bits, so a plain SHA-256 of it cannot be turned back; nothing is gained by a slow hash.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets


def new_secret() -> str:
    """Return 256 random bits as 43 characters that are safe in addresses."""
    return secrets.token_urlsafe(32)


def new_id(characters: int) -> str:
    """Return a random id of an even number of hexadecimal characters."""
    return secrets.token_hex(characters // 2)


def hash_of(secret: str) -> str:
    """Return what is kept of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


def same(given: str, kept: str) -> bool:
    """Compare in a time that tells nothing of where the two differ."""
    return hmac.compare_digest(given.encode(), kept.encode())
