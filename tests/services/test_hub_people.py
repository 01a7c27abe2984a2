"""Asking a hub who was away: answered by a small server that speaks as the hub's API does."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from tornado.httpserver import HTTPServer
from tornado.testing import bind_unused_port
from tornado.web import Application, RequestHandler

from hub_extensions.services.usage.hub_people import HubAwayError, HubPeople, NotToldError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
BEFORE = NOW - timedelta(days=90)
SERVICE, LEAD, OTHER = "token-of-the-service", "token-of-a-lead", "token-of-another"


def person(name: str, days_ago: float | None) -> dict[str, Any]:
    seen = None if days_ago is None else (NOW - timedelta(days=days_ago)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return {"kind": "user", "name": name, "last_activity": seen}


PEOPLE = [
    person("never", None),
    person("of-another-community", 400),
    person("long", 300),
    *(person(f"p{number:03}", 200) for number in range(250)),
    person("just", 90.01),
    person("not-yet", 89.9),
    person("today", 0),
]
MEMBERS = [each["name"] for each in PEOPLE if each["name"] != "of-another-community"]


@asynccontextmanager
async def hub(
    people: list[dict[str, Any]], answer: Callable[[RequestHandler], bool] = lambda _: False
) -> AsyncIterator[tuple[str, list[tuple[str, str]]]]:
    """A server, and what it was asked with which token; `answer` may answer otherwise."""
    asked: list[tuple[str, str]] = []

    class Users(RequestHandler):
        def get(self) -> None:
            asked.append(("users", self.request.headers["Authorization"]))
            if answer(self):
                return
            assert self.get_query_argument("sort") == "last_activity"
            offset, limit = (int(self.get_query_argument(name)) for name in ("offset", "limit"))
            more = {"offset": offset + limit} if offset + limit < len(people) else None
            self.write({"items": people[offset : offset + limit], "_pagination": {"next": more}})

    class Group(RequestHandler):
        def get(self, name: str) -> None:
            asked.append((f"groups/{name}", self.request.headers["Authorization"]))
            if name == "nobody":
                self.set_status(404)
                return
            self.write({"name": name, "users": MEMBERS})

    port_socket, port = bind_unused_port()
    server = HTTPServer(Application([("/hub/api/users", Users), ("/hub/api/groups/(.+)", Group)]))
    server.add_sockets([port_socket])
    try:
        yield f"http://127.0.0.1:{port}/hub/api", asked
    finally:
        server.stop()
        await server.close_all_connections()


async def test_members_who_were_away_are_found_longest_away_first() -> None:
    async with hub(PEOPLE) as (url, _):
        found = await HubPeople(url, SERVICE).unseen(LEAD, "ocean", BEFORE)
    names = [each.name for each in found.people]
    assert names[:3] == ["never", "long", "p000"]
    assert names[-1] == "just"
    assert found.people[0].last_seen is None
    assert found.people[1].last_seen == NOW - timedelta(days=300)
    assert "of-another-community" not in names
    assert (len(names), found.members, found.complete) == (253, len(MEMBERS), True)


async def test_people_are_asked_for_in_the_name_of_who_asks_and_kept_for_them_alone() -> None:
    async with hub(PEOPLE) as (url, asked):
        people = HubPeople(url, SERVICE)
        for token in (LEAD, LEAD, OTHER):
            await people.unseen(token, "ocean", BEFORE)
    service, lead, other = (f"token {each}" for each in (SERVICE, LEAD, OTHER))
    group = ("groups/ocean", service)
    assert asked == [group, ("users", lead), ("users", lead), group, ("users", other), ("users", other)]


async def test_there_is_a_bound_to_how_much_is_asked_and_the_answer_says_so() -> None:
    async with hub(PEOPLE) as (url, asked):
        found = await HubPeople(url, SERVICE, most_pages=1).unseen(LEAD, "ocean", BEFORE)
    assert not found.complete
    assert len(asked) == 2


async def test_a_community_that_has_no_group_yet_has_no_members() -> None:
    async with hub(PEOPLE) as (url, _):
        found = await HubPeople(url, SERVICE).unseen(LEAD, "nobody", BEFORE)
    assert (found.people, found.members) == ((), 0)


async def test_who_is_not_shown_when_people_were_there_is_told_nothing() -> None:
    async with hub([{"kind": "user", "name": "ada"}]) as (url, _):
        with pytest.raises(NotToldError):
            await HubPeople(url, SERVICE).unseen(LEAD, "ocean", BEFORE)

    def refuses(handler: RequestHandler) -> bool:
        handler.set_status(403)
        return True

    async with hub(PEOPLE, refuses) as (url, _):
        with pytest.raises(NotToldError):
            await HubPeople(url, SERVICE).unseen(LEAD, "ocean", BEFORE)


@pytest.mark.parametrize("text", ["", "<html>", "[]", "{}", json.dumps({"items": [1], "_pagination": {"next": None}})])
async def test_what_is_no_answer_of_a_hub_is_none(text: str) -> None:
    def nonsense(handler: RequestHandler) -> bool:
        handler.write(text)
        return True

    async with hub(PEOPLE, nonsense) as (url, _):
        with pytest.raises(HubAwayError):
            await HubPeople(url, SERVICE).unseen(LEAD, "ocean", BEFORE)


async def test_a_hub_that_is_away_is_asked_again_the_next_time() -> None:
    is_away = True

    def away(handler: RequestHandler) -> bool:
        if is_away:
            handler.set_status(503)
        return is_away

    async with hub(PEOPLE, away) as (url, _):
        people = HubPeople(url, SERVICE)
        with pytest.raises(HubAwayError):
            await people.unseen(LEAD, "ocean", BEFORE)
        is_away = False
        assert (await people.unseen(LEAD, "ocean", BEFORE)).people
    with pytest.raises(HubAwayError):
        await people.unseen(OTHER, "ocean", BEFORE)
