from urllib.parse import quote

from adapters.providers.openai_compatible.caller import Address, addresses_under
from application.inference.ports import Operation
from domain.models.served_model import ServedModel


def azure_addresses(resource_url: str, api_version: str | None) -> Address:
    """The API of today has the deployment in the body and no version, or one of ``preview``; the
    dated versions before it have the deployment in the path."""
    resource = resource_url.removesuffix("/openai/v1").removesuffix("/openai")
    if api_version is None or api_version == "v1":
        return addresses_under(f"{resource}/openai/v1")
    if not api_version[0].isdecimal():
        return addresses_under(f"{resource}/openai/v1?api-version={api_version}")

    def of_deployment(operation: Operation, model: ServedModel) -> str:
        deployment = quote(model.upstream_name, safe="")
        path = f"{resource}/openai/deployments/{deployment}/{operation}"
        return f"{path}?api-version={api_version}"

    return of_deployment
