from copy import deepcopy
from datetime import datetime

from application.identity.ports import Credential, Credentials, KeyActivity
from domain.identity.allowance import Subject, SubjectKind
from domain.identity.api_key import ApiKey
from domain.shared.errors import UnavailableError
from domain.shared.ids import KeyId
from tests.fakes.identity_state import InMemoryIdentity


class InMemoryCredentials(Credentials):
    """Finds committed keys; while the database is ``away``, only those that it has seen before."""

    def __init__(self, database: InMemoryIdentity) -> None:
        self.away = False
        self._database = database
        self._known: dict[bytes, Credential | None] = {}

    async def find(self, secret_hash: bytes) -> Credential | None:
        if not self.away:
            self._known[secret_hash] = self._look_up(secret_hash)
        elif secret_hash not in self._known:
            raise UnavailableError("The database cannot be reached.", retry_after=1.0)
        return deepcopy(self._known[secret_hash])

    def _look_up(self, secret_hash: bytes) -> Credential | None:
        state = self._database.committed
        for key in state.keys.values():
            if key.secret_hash == secret_hash:
                bounding = [
                    state.allowances[key.team_id, subject]
                    for subject in _subjects_of(key)
                    if (key.team_id, subject) in state.allowances
                ]
                return Credential(
                    key=deepcopy(key),
                    allowances=tuple(bounding),
                )
        return None


class InMemoryKeyActivity(KeyActivity):
    """``touched`` is what the next flush will write."""

    def __init__(self, database: InMemoryIdentity) -> None:
        self.touched: dict[KeyId, datetime] = {}
        self._database = database

    def touch(self, key: ApiKey, at: datetime) -> None:
        self.touched[key.id] = max(at, self.touched.get(key.id, at))

    async def flush(self) -> None:
        touched, self.touched = self.touched, {}
        for key_id, at in touched.items():
            key = self._database.committed.keys.get(key_id)
            if key is not None:
                key.last_used_at = max(at, key.last_used_at or at)


def _subjects_of(key: ApiKey) -> list[Subject]:
    ids = {SubjectKind.TEAM: key.team_id, SubjectKind.USER: key.user_id, SubjectKind.KEY: key.id}
    return [Subject(kind, subject_id) for kind, subject_id in ids.items() if subject_id is not None]
