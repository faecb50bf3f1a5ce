from application.identity.passwords import Passwords
from application.identity.ports import CommonPasswords, PasswordHasher

OUTDATED = "outdated:"


class PlainHasher(PasswordHasher):
    """The 'hash' is the password with a mark; ``verified`` are all hashes that were asked for."""

    def __init__(self) -> None:
        self.verified: list[str | None] = []

    async def hash(self, password: str) -> str:
        return f"hash:{password}"

    async def verify(self, password: str, hashed: str | None) -> bool:
        self.verified.append(hashed)
        return hashed in {f"hash:{password}", f"{OUTDATED}{password}"}

    def is_outdated(self, hashed: str) -> bool:
        return hashed.startswith(OUTDATED)


class FewCommonPasswords(CommonPasswords):
    async def include(self, password: str) -> bool:
        return password.lower() in {"password123", "1234567890"}


def some_passwords() -> Passwords:
    return Passwords(hasher=PlainHasher(), common=FewCommonPasswords())
