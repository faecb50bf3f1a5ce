from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Links:
    """The pages that a token opens. It stands behind the `#`, which browsers keep to themselves, so
    that no server, proxy or log sees it in an address."""

    public_url: str

    def setup(self, token: str) -> str:
        return self._page("setup", token)

    def password_reset(self, token: str) -> str:
        return self._page("reset-password", token)

    def invitation(self, token: str) -> str:
        return self._page("invitation", token)

    def forgotten_password(self) -> str:
        """The page where anybody may ask for a reset."""
        return f"{self.public_url}/reset-password"

    def _page(self, page: str, token: str) -> str:
        return f"{self.public_url}/{page}#token={token}"
