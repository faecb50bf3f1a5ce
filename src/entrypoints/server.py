"""``stoa serve``: one process, or a parent that prepares the database and watches its workers.

What can be wrong with how it was started is looked at first, and with few imports, so that it is
told at once.
"""

from importlib.metadata import version

import msgspec

from adapters.catalog.catalog_file import load_catalog
from application.identity.issue_key import IssuedKey
from application.identity.joining.links import Links
from entrypoints.lean_imports import many_imports
from entrypoints.listening import listen, url_of
from entrypoints.logging import configure_logging
from entrypoints.secret_key import with_secret_key
from entrypoints.settings_loading import LoadedSettings
from entrypoints.welcome import Welcome, first_key_text, ready_line, setup_line


def serve(loaded: LoadedSettings) -> None:
    """Run until told to stop. Raises ``StoaError`` for whatever keeps the server from starting."""
    configure_logging(loaded.settings)
    catalog = load_catalog(loaded.settings.config, loaded.variables)
    listener = listen(loaded.settings.host, loaded.settings.port)
    settings = with_secret_key(loaded.settings)
    url = url_of(listener, settings.host)
    settings = msgspec.structs.replace(settings, public_url=settings.public_url or url)

    def show_key(issued: IssuedKey) -> None:
        # For the person at the terminal, not for the log: the key is shown this once.
        print(first_key_text(issued.secret, url, catalog.models), flush=True)  # noqa: T201

    def announce(welcome: Welcome) -> None:
        print(ready_line(version("stoa"), url), flush=True)  # noqa: T201
        if welcome.setup_token is not None:
            links = Links((settings.public_url or url).rstrip("/"))
            print(setup_line(links.setup(welcome.setup_token)), flush=True)  # noqa: T201

    # These import everything that serves, which takes the most of a second.
    if settings.workers > 1:
        with many_imports():
            from entrypoints.workers import serve_with_workers  # noqa: PLC0415

        serve_with_workers(
            settings, catalog, loaded.runtime, listener, announce=announce, show_key=show_key
        )
    else:
        with many_imports():
            from entrypoints.process import run_process  # noqa: PLC0415

        run_process(
            settings, catalog, loaded.runtime, listener, on_ready=announce, show_key=show_key
        )
