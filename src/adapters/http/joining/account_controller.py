from dishka import FromDishka
from litestar import Controller, MediaType, Response, post
from litestar.params import JSONBody
from litestar.status_codes import HTTP_202_ACCEPTED, HTTP_204_NO_CONTENT

from adapters.http.guards import of_this_server
from adapters.http.joining.schemas import ConfirmPasswordResetBody, EmailBody
from application.identity.joining.confirm_password_reset import ConfirmPasswordReset
from application.identity.joining.register import Register
from application.identity.joining.request_password_reset import RequestPasswordReset


class AccountController(Controller):
    """What people may ask for who cannot log in."""

    path = "/auth"
    tags = ("identity",)
    guards = (of_this_server,)

    @post(
        "/password_reset",
        operation_id="request_password_reset",
        summary="Ask for a new password",
        status_code=HTTP_202_ACCEPTED,
    )
    async def request_password_reset(
        self, data: JSONBody[EmailBody], use_case: FromDishka[RequestPasswordReset]
    ) -> Response[None]:
        """Sends a link for a new password to the address, if there is an account with it. The
        answer is the same, and as quick, if there is none."""
        await use_case(data.email)
        return _accepted()

    @post(
        "/password_reset/confirm",
        operation_id="confirm_password_reset",
        summary="Set a new password",
        status_code=HTTP_204_NO_CONTENT,
    )
    async def confirm_password_reset(
        self,
        data: JSONBody[ConfirmPasswordResetBody],
        use_case: FromDishka[ConfirmPasswordReset],
    ) -> None:
        """Sets the password with the token of a reset link, which works once and for 30 minutes.
        All sessions of the user end."""
        await use_case(data.to_command())

    @post(
        "/register",
        operation_id="register",
        summary="Ask for an account",
        status_code=HTTP_202_ACCEPTED,
    )
    async def register(
        self, data: JSONBody[EmailBody], use_case: FromDishka[Register]
    ) -> Response[None]:
        """Where the server takes registrations (`registration_policy`), sends a link to the address
        with which to make an account. The answer is the same if there is an account already: the
        mail says so."""
        await use_case(data.email)
        return _accepted()


def _accepted() -> Response[None]:
    """Without a body: it would have nothing to say."""
    return Response(None, media_type=MediaType.TEXT)
