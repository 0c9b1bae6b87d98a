"""Search for a person's submissions, on either database, whether they are indexed or not."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import delete, func, select

from app.intake.new_submission import NewSubmission
from app.storage.database import Database
from app.storage.encryption import KeyedHash
from app.storage.schema import HOW_FAR, person_index, submissions
from app.submissions.erasure import erase
from app.submissions.person_index import PersonIndex, _fill
from tests.integration.storage_helpers import CONTACT_HASH, application, opened, taking_in

pytestmark = pytest.mark.anyio

ANNA = {"email": "anna@example.se", "phone": "+46701740605"}
SECOND = timedelta(seconds=1)


async def accept(database: Database, *contacts: Mapping[str, str]) -> Sequence[str]:
    new: list[NewSubmission] = [replace(application(), contacts=given) for given in contacts]
    async with taking_in(database) as intake:
        for submission in new:
            await intake.accept(submission)
    return [submission.id for submission in new]


def of_settled(database: Database) -> PersonIndex:
    """An index that includes even the newest submissions."""
    return PersonIndex(database, CONTACT_HASH, -SECOND)


def filled_in(database: Database) -> int:
    with database.engine.connect() as connection:
        of_people = person_index.c.hash != HOW_FAR
        return connection.execute(select(func.count()).select_from(person_index).where(of_people)).scalar_one()


async def fill_all(index: PersonIndex) -> None:
    while await index.fill():
        pass


@pytest.mark.parametrize("filled", [False, True])
async def test_a_person_is_found_by_address_and_by_number(database: Database, filled: bool) -> None:
    people = of_settled(database)
    first, _, third = await accept(database, ANNA, {"email": "bo@example.se"}, {"phone": ANNA["phone"]})
    if filled:
        await fill_all(people)
    assert await people.find("anna@example.se") == [first]
    assert await people.find("+46701740605") == [first, third]
    assert await people.find("nobody@example.se") == []


async def test_submissions_newer_than_the_index_are_found_too(database: Database) -> None:
    people = of_settled(database)
    before = await accept(database, ANNA)
    await fill_all(people)
    after = await accept(database, ANNA)
    assert filled_in(database) == 2
    assert await people.find("anna@example.se") == [*before, *after]


async def test_only_settled_submissions_are_indexed(database: Database) -> None:
    people = PersonIndex(database, CONTACT_HASH)
    await accept(database, ANNA)
    assert not await people.fill()
    assert filled_in(database) == 0


async def test_indexing_continues_in_batches_where_it_stopped(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.submissions.person_index.MAX_AT_ONCE", 2)
    people = of_settled(database)
    given = await accept(database, {}, ANNA, {}, {}, {}, ANNA, {})
    turns = 0
    while await people.fill():
        turns += 1
    assert turns == 4
    assert filled_in(database) == 4
    assert await people.find("anna@example.se") == [given[1], given[5]]


async def test_a_submission_that_is_gone_is_not_found(database: Database) -> None:
    people = of_settled(database)
    first, second = await accept(database, ANNA, ANNA)
    await fill_all(people)
    with database.engine.begin() as connection:
        connection.execute(delete(submissions).where(submissions.c.id == first))
    assert filled_in(database) == 2
    assert await people.find("anna@example.se") == [second]


async def test_an_index_made_with_another_secret_finds_nobody(database: Database) -> None:
    await accept(database, ANNA)
    assert await PersonIndex(database, KeyedHash("another secret", "contacts")).find("anna@example.se") == []


async def test_an_erased_person_is_never_indexed_whatever_the_order(database: Database, database_url: str) -> None:
    given = await accept(database, *[ANNA] * 40)
    people = of_settled(database)

    async def erase_each() -> None:
        with opened(database_url) as another:
            for submission_id in given:
                await another.write(lambda connection, one=submission_id: erase(connection, [one]))  # type: ignore[misc]

    await asyncio.gather(erase_each(), fill_all(people))
    await fill_all(people)
    assert filled_in(database) == 0


async def test_an_erasure_that_comes_while_the_index_is_filled_waits_for_it_and_takes_the_hashes_away(
    database: Database, database_url: str
) -> None:
    """The indexing has read them already."""
    [submission_id] = await accept(database, ANNA)
    erasing = None
    with opened(database_url) as another, database.engine.begin() as filling:
        assert _fill(filling, -SECOND)
        erasing = asyncio.create_task(another.write(lambda connection: erase(connection, [submission_id])))
        await asyncio.wait([erasing], timeout=0.2)
        filling.commit()
        assert [erased.id for erased in await erasing] == [submission_id]
    assert filled_in(database) == 0


async def test_replicas_that_fill_the_index_at_once_do_not_fail(database: Database, database_url: str) -> None:
    await accept(database, {})  # without hashes there is nothing else that the second could wait for
    with opened(database_url) as another, database.engine.begin() as filling:
        assert _fill(filling, -SECOND)
        second = asyncio.create_task(of_settled(another).fill())
        await asyncio.wait([second], timeout=0.2)
        filling.commit()
        await second
    assert not await of_settled(database).fill()


@pytest.mark.parametrize("filled", [False, True])
async def test_what_one_person_sent_to_one_firm_is_found_together(database: Database, filled: bool) -> None:
    first, second, _, third = await accept(
        database, ANNA, {"email": ANNA["email"]}, {"email": "bo@example.se"}, {"phone": ANNA["phone"]}
    )
    people = of_settled(database)
    if filled:
        await fill_all(people)
    assert await people.others_of(first) == [third, second]
    assert await people.others_of(second) == [first]
