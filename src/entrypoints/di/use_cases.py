from dishka import Provider, Scope, provide

from application.identity.act_as_operator import ActAsOperator
from application.identity.authenticate import Authenticate
from application.identity.create_team import CreateTeam
from application.identity.find_key import FindKey
from application.identity.find_team import FindTeam
from application.identity.found_first_team import FoundFirstTeam
from application.identity.get_key import GetKey
from application.identity.get_team import GetTeam
from application.identity.issue_key import IssueKey
from application.identity.list_keys import ListKeys
from application.identity.list_teams import ListTeams
from application.identity.people.change_role import ChangeRole
from application.identity.people.create_user import CreateUser
from application.identity.people.find_user import FindUser
from application.identity.people.get_user import GetUser
from application.identity.people.issue_password_reset import IssuePasswordReset
from application.identity.people.list_members import ListMembers
from application.identity.people.list_users import ListUsers
from application.identity.people.remove_member import RemoveMember
from application.identity.people.set_password import SetPassword
from application.identity.people.update_user import UpdateUser
from application.identity.revoke_key import RevokeKey
from application.identity.update_key import UpdateKey
from application.identity.update_team import UpdateTeam
from application.inference.admission import Admission
from application.inference.call_policy import CallPolicy
from application.inference.costs.predict_cost import PredictCost
from application.inference.costs.show_costs import ExportCosts, ShowCosts
from application.inference.get_call import GetCall
from application.inference.interrupt_orphaned_calls import InterruptOrphanedCalls
from application.inference.invoke_model import InvokeModel
from application.inference.list_calls import ListCalls
from application.inference.refuse_call import RefuseCall
from application.inference.report_usage import ReportUsage
from application.inference.show_budget import ShowBudget
from application.inference.stream_model import StreamModel
from application.models.get_model import GetModel
from application.models.list_models import ListModels
from application.operations.change_settings import ChangeSettings
from application.operations.events.list_events import ListEvents
from application.operations.events.list_notifications import ListNotifications
from application.operations.events.listen_to_events import ListenToEvents
from application.operations.events.mark_all_notifications_read import MarkAllNotificationsRead
from application.operations.events.mark_notification_read import MarkNotificationRead
from application.operations.inspect_health import InspectHealth
from application.operations.list_settings import ListSettings
from application.operations.records.change_error_state import ChangeErrorState
from application.operations.records.export_audit import ExportAudit
from application.operations.records.get_error import GetError
from application.operations.records.list_audit import ListAudit
from application.operations.records.list_errors import ListErrors
from application.operations.reencrypt_secrets import ReencryptSecrets
from application.operations.run_retention import RunRetention
from entrypoints.di.registry_use_cases import REGISTRY_USE_CASES
from entrypoints.instrumentation import instrumented

INSTRUMENTED = (
    ActAsOperator,
    FindKey,
    FoundFirstTeam,
    GetKey,
    GetTeam,
    IssueKey,
    ListKeys,
    RevokeKey,
    UpdateKey,
    UpdateTeam,
    ChangeRole,
    CreateTeam,
    CreateUser,
    FindTeam,
    FindUser,
    GetUser,
    IssuePasswordReset,
    ListMembers,
    ListTeams,
    ListUsers,
    RemoveMember,
    SetPassword,
    UpdateUser,
    GetCall,
    ListCalls,
    ReportUsage,
    PredictCost,
    ShowCosts,
    ExportCosts,
    ShowBudget,
    GetModel,
    ListModels,
    InspectHealth,
    ListSettings,
    ChangeSettings,
    ReencryptSecrets,
    RunRetention,
    ListAudit,
    ExportAudit,
    ListErrors,
    GetError,
    ChangeErrorState,
    ListEvents,
    ListenToEvents,
    ListNotifications,
    MarkAllNotificationsRead,
    MarkNotificationRead,
    *REGISTRY_USE_CASES,
)


class UseCaseProvider(Provider):
    """The use cases of people and programs that manage; each lives for one request."""

    scope = Scope.REQUEST

    def __init__(self) -> None:
        super().__init__()
        for use_case in INSTRUMENTED:
            self.provide(instrumented(use_case), provides=use_case)

    # Quiet: it runs for every request, and every half minute.
    authenticate = provide(Authenticate, scope=Scope.APP)
    interrupt_orphaned_calls = provide(InterruptOrphanedCalls, scope=Scope.APP)


class DataPlaneProvider(Provider):
    """The hot path: built once, and not instrumented, since the ledger has a row for each call."""

    scope = Scope.APP

    call_policy = provide(CallPolicy)
    admission = provide(Admission)
    invoke_model = provide(InvokeModel)
    stream_model = provide(StreamModel)
    refuse_call = provide(RefuseCall)
