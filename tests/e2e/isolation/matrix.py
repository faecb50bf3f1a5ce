"""The expectation of each operation, by its id in the API's document."""

from typing import Any

from tests.e2e.isolation.expectations import (
    FORBIDDEN,
    HIDDEN,
    SERVED,
    Expectation,
    admins,
    everybody,
    known,
    members,
    operators,
    owners_of_it,
    persons,
    viewers,
)

PASSWORD = "quiet-otter-lamp-42"
SOMEBODY = "somebody@example.org"
CHAT: Any = {"model": "parrot", "messages": [{"role": "user", "content": "hello"}]}

# After these the session is over.
ENDING = ("revoke_all_sessions", "log_out")

MATRIX: dict[str, Expectation] = {
    # Before anybody is known
    "check_liveness": everybody(),
    "check_readiness": everybody(),
    "get_health": everybody(),
    "list_problems": everybody(),
    "get_problem": everybody(),
    "check_setup": everybody(),
    # With a body of nothing: what they would say to a wrong token is not the matter here
    "claim_setup": everybody(body={}),
    "log_in": everybody(body={}),
    "create_tokens": everybody(body={}),
    "refresh_tokens": everybody(body={}),
    "register": everybody(body={}),
    "request_password_reset": everybody(body={}),
    "confirm_password_reset": everybody(body={}),
    "inspect_invitation": everybody(body={}),
    "accept_invitation": everybody(body={}),
    # Oneself
    "get_me": persons(),
    "update_me": persons(body={"locale": "de"}),
    "change_password": persons(body={"current_password": PASSWORD, "new_password": "short"}),
    "list_sessions": persons(),
    "revoke_session": owners_of_it(),
    "switch_team": owners_of_it(body={"team_id": "0190b5a0-0000-7000-8000-000000000000"}),
    # The data plane
    "create_chat_completion": members(body=CHAT),
    "create_completion": members(body={"model": "parrot", "prompt": "hello"}),
    "create_response": members(body={"model": "parrot", "input": "hello"}),
    # The one in the path is the owner's; who sees the team's calls sees its responses.
    "get_response": viewers(named=True),
    "list_response_input_items": viewers(named=True),
    "cancel_response": viewers(named=True),
    "delete_response": Expectation(
        viewer=FORBIDDEN, member=HIDDEN, stranger=HIDDEN, scopeless=FORBIDDEN
    ),
    "create_embedding": members(body={"model": "vectors", "input": "hello"}),
    "create_reranking": members(body={"model": "ranker", "query": "a", "documents": ["a"]}),
    "create_moderation": members(body={"model": "judge", "input": "hello"}),
    "create_image": members(body={"model": "painter", "prompt": "a stoa"}),
    "create_transcription": members(upload={"model": "listener"}),
    "create_speech": members(body={"model": "speaker", "input": "hello", "voice": "zeno"}),
    "create_message": members(body=CHAT | {"max_tokens": 50}),
    "count_message_tokens": members(body=CHAT),
    "list_models": known(),
    "get_model": known(),
    # The ledger
    "list_calls": viewers(),
    "get_call": viewers(named=True),
    "report_usage": viewers(),
    # Keys: members have their own, the one in the path is the owner's
    "list_keys": members(),
    "issue_key": members(body={"name": "a key"}),
    "get_key": Expectation(viewer=FORBIDDEN, member=HIDDEN, stranger=HIDDEN, scopeless=FORBIDDEN),
    "update_key": Expectation(
        viewer=FORBIDDEN, member=HIDDEN, stranger=HIDDEN, scopeless=FORBIDDEN, body={"name": "x"}
    ),
    "revoke_key": Expectation(
        viewer=FORBIDDEN, member=HIDDEN, stranger=HIDDEN, scopeless=FORBIDDEN
    ),
    # The team and its people
    "get_limits": known(),
    "get_team": known(),
    "update_team": admins(body={"name": "Renamed"}),
    "list_teams": known(),
    "create_team": operators(body={"name": "Another"}),
    "get_one_team": Expectation(viewer=SERVED, member=SERVED, stranger=HIDDEN, scopeless=SERVED),
    "update_one_team": admins(named=True, body={"name": "Renamed"}),
    "list_members": viewers(),
    "change_role": admins(named=True, body={"role": "viewer"}),
    "remove_member": admins(named=True),
    "list_users": viewers(),
    "create_user": admins(body={"email": "new@example.org", "display_name": "New"}),
    "get_user": viewers(named=True),
    "update_user": admins(named=True, body={"display_name": "Renamed"}),
    "issue_user_password_reset": admins(named=True),
    "list_invitations": admins(),
    "invite_member": admins(body={"email": "invited@example.org"}),
    "revoke_invitation": admins(named=True),
    "resend_invitation": admins(named=True),
    # Budgets: everybody may see what bounds himself, and the team bounds all
    "get_key_budget": viewers(named=True),
    "get_user_budget": viewers(named=True),
    "get_team_budget": Expectation(viewer=SERVED, member=SERVED, stranger=HIDDEN, scopeless=SERVED),
    # Settings
    "list_settings": viewers(),
    "get_setting": viewers(),
    "change_settings": admins(body={"content_capture": True}),
    "reset_setting": admins(),
    # Records
    "list_audit_logs": admins(),
    "export_audit_logs": admins(),
    "list_errors": operators(),
    "get_error": operators(),
    "update_error": operators(body={"state": "resolved"}),
    "get_detailed_health": admins(),
    "list_events": viewers(),
    "stream_events": viewers(),
    "list_notifications": viewers(),
    "mark_notification_read": owners_of_it(),
    "mark_all_notifications_read": viewers(),
    # The registry: members see what they can call, admins set it up
    "list_providers": admins(),
    "create_provider": admins(body={"name": "another", "type": "scripted"}),
    "get_provider": admins(named=True),
    "update_provider": admins(named=True, body={"enabled": True}),
    "delete_provider": admins(named=True),
    "test_provider_connection": admins(named=True),
    "list_provider_offers": admins(named=True),
    "list_registered_models": viewers(),
    "create_model": admins(body={"name": "another", "provider": "own"}),
    "get_registered_model": viewers(named=True),
    "update_model": admins(named=True, body={"context_length": 5}),
    "delete_model": admins(named=True),
    "archive_model": admins(named=True),
    "restore_model": admins(named=True),
    "list_routes": viewers(),
    "create_route": admins(body={"name": "either", "targets": [{"model": "parrot"}]}),
    "get_route": viewers(named=True),
    "update_route": admins(named=True, body={"enabled": True}),
    "delete_route": admins(named=True),
    # Prices: everybody sees what calls cost, admins set it, of the configuration the operators
    "list_prices": known(),
    "predict_cost": Expectation(
        viewer=FORBIDDEN,
        member=SERVED,
        stranger=SERVED,
        scopeless=FORBIDDEN,
        query={"model": "parrot", "input_tokens": "5"},
    ),
    "show_costs": viewers(),
    "export_costs": viewers(),
    "list_set_prices": viewers(),
    "set_price": operators(body={"model": "parrot", "input": "1", "output": "2"}),
    "remove_price": admins(named=True),
    "list_model_prices": viewers(named=True),
    "set_model_price": admins(named=True, body={"input": "1", "output": "2"}),
    "remove_model_price": admins(named=True),
    # What ends the session
    "revoke_all_sessions": persons(),
    "log_out": persons(),
}
