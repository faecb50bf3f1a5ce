import secrets

from application.shared.ports import SecretGenerator

SECRET_BYTES = 32


class SystemSecrets(SecretGenerator):
    def token(self) -> str:
        return secrets.token_urlsafe(SECRET_BYTES)
