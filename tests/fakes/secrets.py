from application.shared.ports import SecretGenerator


class SequentialSecrets(SecretGenerator):
    """Tokens of the real ones' length that anybody could guess."""

    def __init__(self) -> None:
        self._counter = 0

    def token(self) -> str:
        self._counter += 1
        return f"{self._counter:043d}"
