from application.operations.ports import Sealed, SecretBox
from domain.operations.errors import SecretUnreadableError


class ReversibleSecretBox(SecretBox):
    """Keeps secrets apart by their place and by the ``key``, and from nobody else. ``previous``
    are the keys from before a rotation."""

    def __init__(self, key: str = "key", *previous: str) -> None:
        self._keys = (key, *previous)

    def seal(self, secret: str, *, place: str) -> Sealed:
        return Sealed("\n".join((self._keys[0], place, secret[::-1])).encode())

    def open(self, sealed: Sealed, *, place: str) -> str:
        key, sealed_place, secret = sealed.ciphertext.decode().split("\n", 2)
        if key not in self._keys or place != sealed_place:
            raise SecretUnreadableError(place)
        return secret[::-1]

    def is_current(self, sealed: Sealed) -> bool:
        return sealed.ciphertext.decode().split("\n", 1)[0] == self._keys[0]
