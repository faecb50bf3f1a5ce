from collections.abc import Collection, Mapping

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from adapters.postgres.errors import translated
from adapters.postgres.models.price_rows import price_book_answers
from application.models.pricing.ports import PriceBookMemory

_columns = price_book_answers.c


class PostgresPriceBookMemory(PriceBookMemory):
    def __init__(self, sessions: async_sessionmaker[AsyncSession]) -> None:
        self._sessions = sessions

    async def recall(self, book: str, questions: Collection[str]) -> Mapping[str, object]:
        statement = select(_columns.question, _columns.answer).where(
            _columns.book == book, _columns.question.in_(questions)
        )
        with translated():
            async with self._sessions() as session:
                return {row.question: row.answer for row in await session.execute(statement)}

    async def keep(self, book: str, answers: Mapping[str, object]) -> None:
        rows = [
            {"book": book, "question": question, "answer": answer}
            for question, answer in answers.items()
        ]
        with translated():
            async with self._sessions() as session:
                await session.execute(insert(price_book_answers).on_conflict_do_nothing(), rows)
                await session.commit()
