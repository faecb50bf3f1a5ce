from dishka import FromDishka
from litestar import Controller, get, post
from litestar.params import JSONBody

from adapters.http.guards import of_this_server
from adapters.http.joining.schemas import ClaimedView, ClaimSetupBody, SetupView
from application.identity.joining.check_setup import CheckSetup
from application.identity.joining.claim_setup import ClaimSetup


class SetupController(Controller):
    path = "/setup"
    tags = ("identity",)

    @get(operation_id="check_setup", summary="Ask whether the server needs an owner")
    async def check_setup(self, use_case: FromDishka[CheckSetup]) -> SetupView:
        """Says whether the server still waits for a person to own it."""
        return SetupView(needs_setup=await use_case())

    @post(
        operation_id="claim_setup",
        summary="Become the owner of a fresh server",
        guards=[of_this_server],
    )
    async def claim_setup(
        self, data: JSONBody[ClaimSetupBody], use_case: FromDishka[ClaimSetup]
    ) -> ClaimedView:
        """Makes the owner's account, for whoever has the token of the link that the server printed
        when it started. It works once: 409 as soon as a person owns the first team."""
        return ClaimedView.of(await use_case(data.to_command()))
