from dishka import FromDishka
from litestar import Controller, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import JSONBody

from adapters.http.keys.schemas import (
    IssuedKeyView,
    IssueKeyBody,
    KeyPage,
    KeyView,
    UpdateKeyBody,
)
from adapters.http.parameters import IdParameter, PageParameter, PageSizeParameter, parse_id
from application.identity.get_key import GetKey, GetKeyQuery
from application.identity.issue_key import IssueKey
from application.identity.list_keys import ListKeys, ListKeysQuery
from application.identity.revoke_key import RevokeKey, RevokeKeyCommand
from application.identity.update_key import UpdateKey
from application.shared.actor import Actor
from application.shared.pagination import PageRequest
from application.shared.ports import Clock
from domain.identity.errors import KeyNotFoundError
from domain.shared.ids import KeyId


class KeysController(Controller):
    path = "/keys"
    tags = ("identity",)

    @post(operation_id="issue_key", summary="Issue an API key")
    async def issue_key(
        self,
        data: JSONBody[IssueKeyBody],
        actor: NamedDependency[Actor],
        use_case: FromDishka[IssueKey],
        clock: FromDishka[Clock],
    ) -> IssuedKeyView:
        """Makes a new API key. The answer shows its secret in `key`, this once and never again.
        Its `scopes` are among the permissions of whoever makes it; if none are given they are all
        of those, or, with `allowed_models` other than all (`*`), `models.invoke` and `calls.read`.
        A key with such a list cannot have scopes over keys or members. Setting `limits` or a
        `budget` needs the permission `limits.manage`."""
        issued = await use_case(data.to_command(actor))
        return IssuedKeyView.of_issued(issued, clock.now())

    @get(operation_id="list_keys", summary="List the API keys")
    async def list_keys(
        self,
        actor: NamedDependency[Actor],
        use_case: FromDishka[ListKeys],
        clock: FromDishka[Clock],
        page: PageParameter = 1,
        page_size: PageSizeParameter = 20,
    ) -> KeyPage:
        """Lists the team's API keys, newest first, revoked ones included. Without the permission
        `keys.manage` these are the caller's own."""
        query = ListKeysQuery(actor=actor, page=PageRequest(page=page, page_size=page_size))
        return KeyPage.of(await use_case(query), clock.now())

    @get("/{key_id:str}", operation_id="get_key", summary="Show an API key")
    async def get_key(
        self,
        key_id: IdParameter,
        actor: NamedDependency[Actor],
        use_case: FromDishka[GetKey],
        clock: FromDishka[Clock],
    ) -> KeyView:
        """Shows one API key of the team, with its secret masked."""
        key = await use_case(GetKeyQuery(actor=actor, key_id=_key_id(key_id)))
        return KeyView.of(key, clock.now())

    @patch("/{key_id:str}", operation_id="update_key", summary="Change an API key")
    async def update_key(
        self,
        key_id: IdParameter,
        data: JSONBody[UpdateKeyBody],
        actor: NamedDependency[Actor],
        use_case: FromDishka[UpdateKey],
        clock: FromDishka[Clock],
    ) -> KeyView:
        """Changes what is given of the name, the allow-list, the scopes, the expiry, the limits and
        the budget; `expires_at: null` makes the key live for ever, and null takes the limits or the
        budget away (which needs the permission `limits.manage`, as setting them). A narrower
        allow-list takes away the scopes over keys and members. Every node obeys at once."""
        key = await use_case(data.to_command(actor, _key_id(key_id)))
        return KeyView.of(key, clock.now())

    @delete("/{key_id:str}", operation_id="revoke_key", summary="Revoke an API key")
    async def revoke_key(
        self,
        key_id: IdParameter,
        actor: NamedDependency[Actor],
        use_case: FromDishka[RevokeKey],
    ) -> None:
        """Closes the key for good: every node refuses it at once. Its calls stay in the ledger."""
        await use_case(RevokeKeyCommand(actor=actor, key_id=_key_id(key_id)))


def _key_id(text: str) -> KeyId:
    return KeyId(parse_id(text, KeyNotFoundError))
