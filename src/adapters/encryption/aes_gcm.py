import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from application.operations.ports import Sealed, SecretBox
from domain.operations.errors import SecretKeyMissingError, SecretUnreadableError

VERSION = b"\x01"
KEY_BYTES = 32
KEY_ID_BYTES = 8
NONCE_BYTES = 12

# Whatever else is derived from the secret key has a purpose of its own.
_ENCRYPTION = b"stoa secrets at rest 1"
_KEY_ID = b"stoa secrets at rest 1: id of the key"


class AesGcmSecretBox(SecretBox):
    """AES-256-GCM: version, key id, nonce, ciphertext and tag. The place is authenticated with it,
    so that a row copied to another team or setting does not open."""

    def __init__(self, secret_key: str | None, previous: str | None = None) -> None:
        """``previous`` is the secret key from before a rotation; with it secrets are only read."""
        given = [key for key in (secret_key, previous) if key is not None]
        self._ciphers = {_derived(key, _KEY_ID, KEY_ID_BYTES): _cipher(key) for key in given}
        self._current = _derived(secret_key, _KEY_ID, KEY_ID_BYTES) if secret_key else None

    def seal(self, secret: str, *, place: str) -> Sealed:
        if self._current is None:
            raise SecretKeyMissingError
        head = VERSION + self._current
        nonce = os.urandom(NONCE_BYTES)
        content = self._ciphers[self._current].encrypt(
            nonce, secret.encode(), head + place.encode()
        )
        return Sealed(head + nonce + content)

    def open(self, sealed: Sealed, *, place: str) -> str:
        if not self._ciphers:
            raise SecretKeyMissingError
        head, nonce, content = _parts(sealed.ciphertext)
        cipher = self._ciphers.get(head[len(VERSION) :])
        if cipher is None or not head.startswith(VERSION) or len(nonce) < NONCE_BYTES:
            raise SecretUnreadableError(place)
        try:
            return cipher.decrypt(nonce, content, head + place.encode()).decode()
        except InvalidTag:
            raise SecretUnreadableError(place) from None

    def is_current(self, sealed: Sealed) -> bool:
        head, _, _ = _parts(sealed.ciphertext)
        return self._current is not None and head == VERSION + self._current


def _parts(ciphertext: bytes) -> tuple[bytes, bytes, bytes]:
    head_end = len(VERSION) + KEY_ID_BYTES
    nonce_end = head_end + NONCE_BYTES
    return ciphertext[:head_end], ciphertext[head_end:nonce_end], ciphertext[nonce_end:]


def _cipher(secret_key: str) -> AESGCM:
    return AESGCM(_derived(secret_key, _ENCRYPTION, KEY_BYTES))


def _derived(secret_key: str, purpose: bytes, length: int) -> bytes:
    return HKDF(algorithm=SHA256(), length=length, salt=None, info=purpose).derive(
        secret_key.encode()
    )
