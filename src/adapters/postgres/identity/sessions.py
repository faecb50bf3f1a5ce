from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from adapters.postgres.errors import translated
from adapters.postgres.identity.announcement import announce
from adapters.postgres.identity.session_rows import RefreshTokenRow, SessionRow
from application.identity.session_ports import Sessions
from application.shared.pagination import Page, PageRequest
from domain.identity.errors import SessionNotFoundError
from domain.identity.session import RefreshToken, Session, SessionKind
from domain.shared.ids import SessionId, TeamId, UserId


class PostgresSessions(Sessions):
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, session: Session) -> None:
        with translated():
            await self._session.execute(insert(SessionRow).values(_values(session)))
            await announce(self._session, session.user_id)

    async def get(self, user_id: UserId, session_id: SessionId) -> Session:
        with translated():
            row = await self._session.scalar(
                select(SessionRow)
                .where(SessionRow.id == session_id, SessionRow.user_id == user_id)
                .with_for_update(key_share=True)
                .execution_options(populate_existing=True)
            )
        if row is None:
            raise SessionNotFoundError
        return session_of(row)

    async def save(self, session: Session) -> None:
        with translated():
            saved = await self._session.scalar(
                update(SessionRow)
                .where(SessionRow.id == session.id, SessionRow.user_id == session.user_id)
                .values(_values(session))
                .returning(SessionRow.id)
            )
            await announce(self._session, session.user_id)
        if saved is None:
            raise SessionNotFoundError

    async def list_live(self, user_id: UserId, at: datetime, page: PageRequest) -> Page[Session]:
        live = (
            SessionRow.user_id == user_id,
            SessionRow.revoked_at.is_(None),
            SessionRow.expires_at > at,
        )
        with translated():
            total = await self._session.scalar(
                select(func.count()).select_from(SessionRow).where(*live)
            )
            rows = await self._session.scalars(
                select(SessionRow)
                .where(*live)
                .order_by(SessionRow.id.desc())
                .offset(page.offset)
                .limit(page.page_size)
                .execution_options(populate_existing=True)
            )
        return Page(
            items=tuple(map(session_of, rows)),
            total=total or 0,
            page=page.page,
            page_size=page.page_size,
        )

    async def revoke_all(
        self, user_id: UserId, at: datetime, *, but: SessionId | None = None
    ) -> tuple[SessionId, ...]:
        ending = [
            SessionRow.user_id == user_id,
            SessionRow.revoked_at.is_(None),
            SessionRow.expires_at > at,
        ]
        if but is not None:
            ending.append(SessionRow.id != but)
        with translated():
            ended = await self._session.scalars(
                update(SessionRow)
                .where(*ending)
                .values(revoked_at=at)
                .returning(SessionRow.id)
                .execution_options(synchronize_session=False)
            )
            await announce(self._session, user_id)
        return tuple(SessionId(session_id) for session_id in sorted(ended))

    async def add_refresh_token(self, token: RefreshToken) -> None:
        with translated():
            await self._session.execute(
                insert(RefreshTokenRow).values(
                    token_hash=token.token_hash,
                    session_id=token.session_id,
                    created_at=token.created_at,
                    used_at=token.used_at,
                )
            )

    async def find_refresh_token(self, token_hash: bytes) -> tuple[RefreshToken, Session] | None:
        with translated():
            found = (
                await self._session.execute(
                    select(RefreshTokenRow, SessionRow)
                    .join(SessionRow, SessionRow.id == RefreshTokenRow.session_id)
                    .where(RefreshTokenRow.token_hash == token_hash)
                    .with_for_update(key_share=True)
                    .execution_options(populate_existing=True)
                )
            ).first()
        if found is None:
            return None
        row, session = found
        token = RefreshToken(
            token_hash=row.token_hash,
            session_id=SessionId(row.session_id),
            created_at=row.created_at,
            used_at=row.used_at,
        )
        return token, session_of(session)

    async def use_refresh_token(self, token: RefreshToken, at: datetime) -> None:
        with translated():
            await self._session.execute(
                update(RefreshTokenRow)
                .where(RefreshTokenRow.token_hash == token.token_hash)
                .values(used_at=at)
            )


def session_of(row: SessionRow) -> Session:
    return Session(
        id=SessionId(row.id),
        team_id=TeamId(row.team_id),
        user_id=UserId(row.user_id),
        kind=SessionKind(row.kind),
        created_at=row.created_at,
        expires_at=row.expires_at,
        last_seen_at=row.last_seen_at,
        secret_hash=row.secret_hash,
        address=row.address,
        user_agent=row.user_agent,
        revoked_at=row.revoked_at,
    )


def _values(session: Session) -> dict[str, Any]:
    return {
        "id": session.id,
        "team_id": session.team_id,
        "user_id": session.user_id,
        "kind": session.kind,
        "created_at": session.created_at,
        "expires_at": session.expires_at,
        "last_seen_at": session.last_seen_at,
        "secret_hash": session.secret_hash,
        "address": session.address,
        "user_agent": session.user_agent,
        "revoked_at": session.revoked_at,
    }
