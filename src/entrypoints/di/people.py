from collections.abc import Iterable

from dishka import Provider, Scope, provide

from adapters.passwords.argon2id import Argon2idHasher
from adapters.passwords.frequent_passwords import FrequentPasswords
from application.identity.passwords import Passwords
from application.identity.ports import CommonPasswords, PasswordHasher


class PeopleProvider(Provider):
    """What it takes to know people: their passwords and their sessions."""

    scope = Scope.APP

    common_passwords = provide(FrequentPasswords, provides=CommonPasswords)
    passwords = provide(Passwords)

    @provide
    def password_hasher(self) -> Iterable[PasswordHasher]:
        hasher = Argon2idHasher()
        yield hasher
        hasher.stop()
