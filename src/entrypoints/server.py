"""``stoa serve``: one process, or a parent that prepares the database and watches its workers."""

import sys
from importlib.metadata import version

from adapters.catalog.catalog_file import load_catalog
from application.identity.issue_key import IssuedKey
from entrypoints.listening import listen, url_of
from entrypoints.logging import configure_logging
from entrypoints.process import run_process
from entrypoints.settings_loading import LoadedSettings
from entrypoints.welcome import first_key_text, ready_line
from entrypoints.workers import serve_with_workers


def serve(loaded: LoadedSettings) -> None:
    """Run until told to stop. Raises ``StoaError`` for whatever keeps the server from starting."""
    settings = loaded.settings
    configure_logging(settings)
    catalog = load_catalog(settings.config, loaded.variables)
    listener = listen(settings.host, settings.port)
    url = url_of(listener, settings.host)

    def announce(issued: IssuedKey | None) -> None:
        # For the person at the terminal, not for the log: the key is shown this once.
        print(ready_line(version("stoa"), url))  # noqa: T201
        if issued is not None:
            print(first_key_text(issued.secret, url, catalog.models))  # noqa: T201
        sys.stdout.flush()

    if settings.workers > 1:
        serve_with_workers(loaded, catalog, listener, announce)
    else:
        run_process(settings, catalog, listener, on_ready=announce, prepares_database=True)
