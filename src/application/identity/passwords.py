from dataclasses import dataclass

from application.identity.ports import CommonPasswords, PasswordHasher
from domain.identity.password import (
    check_length,
    is_too_long,
    normalise_password,
    too_common,
)
from domain.identity.user import User


@dataclass(frozen=True, slots=True, kw_only=True)
class Passwords:
    """The passwords of people: what a new one has to be, and whether one is right."""

    hasher: PasswordHasher
    common: CommonPasswords

    async def hash_new(self, password: str, *, param: str = "password") -> str:
        """The hash to store. Raises ``InvalidError`` naming ``param`` for a password that is too
        short, too long or too common."""
        password = normalise_password(password)
        check_length(password, param=param)
        if await self.common.include(password):
            raise too_common(param)
        return await self.hasher.hash(password)

    async def is_right(self, user: User | None, password: str) -> bool:
        """Whether that is the user's password. It takes as long for nobody, and for a user without
        a password, as for anybody."""
        password = normalise_password(password)
        hashed = None if user is None else user.password_hash
        if is_too_long(password):
            password, hashed = "", None
        return await self.hasher.verify(password, hashed)

    async def refreshed(self, user: User, password: str) -> str | None:
        """A new hash of the user's right password, if the stored one has become too weak."""
        if user.password_hash is None or not self.hasher.is_outdated(user.password_hash):
            return None
        return await self.hasher.hash(normalise_password(password))
