from urllib.parse import quote

_COLLECTIONS = ("models/", "tunedModels/")


def resource(upstream_name: str) -> str:
    """The name of a model as a path: ``models/…`` unless it says another collection."""
    collection = next((one for one in _COLLECTIONS if upstream_name.startswith(one)), "")
    name = quote(upstream_name.removeprefix(collection), safe="")
    return f"{collection or 'models/'}{name}"
