from dataclasses import dataclass
from datetime import datetime

from litestar.datastructures import Cookie

from adapters.http.presented import SESSION_COOKIE
from domain.identity.session import Session


@dataclass(frozen=True, slots=True)
class SessionCookies:
    """Cookies that no script of a page can read, and that no other site's request carries.
    ``secure`` ones are only sent over TLS."""

    secure: bool

    def of(self, session: Session, secret: str, at: datetime) -> Cookie:
        return self._cookie(secret, max_age=round((session.expires_at - at).total_seconds()))

    def gone(self) -> Cookie:
        """What makes a browser forget the cookie."""
        return self._cookie("", max_age=0)

    def _cookie(self, value: str, *, max_age: int) -> Cookie:
        return Cookie(
            key=SESSION_COOKIE,
            value=value,
            max_age=max_age,
            path="/",
            httponly=True,
            secure=self.secure,
            samesite="strict",
        )
