from dataclasses import dataclass


@dataclass(slots=True, kw_only=True)
class Invocation:
    """What the options before the command say."""

    debug: bool = False
    data_dir: str | None = None
    database_url: str | None = None
    config: str | None = None

    @property
    def overrides(self) -> dict[str, object]:
        """The settings that these options replace; ``None`` is one not given."""
        return {
            "data_dir": self.data_dir,
            "database_url": self.database_url,
            "config": self.config,
        }
