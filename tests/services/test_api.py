"""The REST API of a real hub's usage service, called with tokens of its people."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from jsonschema import Draft202012Validator
from schemathesis import GenerationMode

from .seeded_hub import PEOPLE, Seeded, last_month
from .tokens import call, new_token

if TYPE_CHECKING:
    from collections.abc import Mapping

PATHS = ("me", "sessions", "communities/ocean-lab", "communities/ice-lab", "hub", "report")
WHO = ("ada2", "lin", "ines", "both", "cy", "root", "zoe", "tui")


@pytest.fixture(scope="module")
def tokens(seeded: Seeded) -> dict[str, str]:
    """All that each of them may do."""
    return {name: new_token(seeded.hub, name, ["inherit"]) for name in WHO}


def ask(seeded: Seeded, token: str, path: str, /, **parameters: Any) -> Any:
    answer = call(seeded.hub, path, token, **{"month": str(last_month()), **parameters})
    assert answer.status_code == 200, answer.text
    return answer.json()


# What it answers


def test_a_person_reads_their_own_month(seeded: Seeded) -> None:
    found = ask(seeded, new_token(seeded.hub, "bo", ["inherit"]), "me")
    assert found["user"] == "bo"
    assert found["total"] == {
        "sessions": 2, "hours": 12.0, "gib_hours": 24.0, "cpu_hours": 0.0, "gpu_hours": 0.0,
    }  # fmt: skip
    assert {each["profile"]: each["hours"] for each in found["by_profile"]} == {"Ice sheets": 8.0, "Ocean small": 4.0}
    assert found["complete"] is True
    assert found["running"] == []


def test_a_person_reads_what_is_left_of_their_quotas(seeded: Seeded) -> None:
    found = ask(seeded, new_token(seeded.hub, "bo", ["inherit"]), "me")
    memory = next(each for each in found["quotas"] if each["resource"] == "memory")
    assert (memory["limit"], memory["unit"], memory["low"], memory["spent"]) == (25.0, "GiB-hours", True, False)
    assert memory["used"] == pytest.approx(24.0)
    assert memory["left"] == pytest.approx(1.0)
    assert "left, counted over the last 90 days" in memory["text"]
    notices = {each["kind"]: each["text"] for each in found["notices"]}
    assert notices["low"] == memory["text"]


def test_a_person_reads_which_servers_run(seeded: Seeded) -> None:
    answer = call(seeded.hub, "me", new_token(seeded.hub, "ada", ["inherit"])).json()
    assert [each["profile"] for each in answer["running"]] == ["Running now"]


def test_the_narrowest_token_is_enough_for_oneself(seeded: Seeded) -> None:
    narrow = new_token(seeded.hub, "bo", ["access:services!service=usage"])
    found = ask(seeded, narrow, "me")
    assert found["total"]["hours"] == 12.0
    assert {each["resource"] for each in found["quotas"]} == {"hours", "memory", "cpu"}


def test_sessions_come_in_pages_none_twice(seeded: Seeded) -> None:
    token = new_token(seeded.hub, "ada", ["inherit"])
    whole = ask(seeded, token, "sessions")
    assert [each["profile"] for each in whole["sessions"]] == ["Ice secret", "Ocean small", "Ocean analysis"]
    assert [each["hours"] for each in whole["sessions"]] == [1.0, 2.0, 5.0]
    assert whole["next"] is None
    pages, after = [], {}
    while True:
        page = ask(seeded, token, "sessions", limit=1, **after)
        pages += page["sessions"]
        if page["next"] is None:
            break
        after = {"after": page["next"]}
    assert pages == whole["sessions"]


def test_nobody_goes_on_after_a_session_of_somebody_else(seeded: Seeded, tokens: Mapping[str, str]) -> None:
    theirs = ask(seeded, new_token(seeded.hub, "ada", ["inherit"]), "sessions")["sessions"][0]["id"]
    answer = call(seeded.hub, "sessions", tokens["ada2"], month=str(last_month()), after=theirs)
    assert answer.status_code == 404
    made_up = call(seeded.hub, "sessions", tokens["ada2"], month=str(last_month()), after="0" * 32)
    assert made_up.json() == answer.json()


def test_a_lead_reads_their_community(seeded: Seeded, tokens: Mapping[str, str]) -> None:
    found = ask(seeded, tokens["lin"], "communities/ocean-lab")
    assert found["title"] == "Ocean Lab"
    assert {each["user"]: each["hours"] for each in found["by_person"]} == {
        "ada": 7.0, "bo": 4.0, "<b>mallory</b>": 1.0, "ada2": 1.0,
    }  # fmt: skip
    assert (found["total"]["people"], found["total"]["sessions"], found["total"]["hours"]) == (4, 5, 13.0)
    assert found["people"]["active"] == 4
    assert found["people"]["new"] + found["people"]["retained"] == 4
    assert found["lengths"]["ended"] == 5
    assert sum(found["active_per_day"].values()) >= 4
    assert found["counted_until"] is not None


def test_an_admin_reads_the_hub_and_all_of_its_communities(seeded: Seeded, tokens: Mapping[str, str]) -> None:
    for who in ("root", "zoe"):
        found = ask(seeded, tokens[who], "hub")
        assert found["total"]["hours"] == 32.0
        assert {each["community"]: each["hours"] for each in found["by_community"]} == {
            "ocean-lab": 13.0, "ice-lab": 9.0, "": 10.0,
        }  # fmt: skip
        assert ask(seeded, tokens[who], "communities/ice-lab")["total"]["hours"] == 9.0


def test_people_are_named_up_to_a_number(seeded: Seeded, tokens: Mapping[str, str]) -> None:
    assert [each["user"] for each in ask(seeded, tokens["root"], "hub", people=1)["by_person"]] == ["bo"]
    assert ask(seeded, tokens["root"], "hub", people=0)["by_person"] == []


def test_a_report_is_the_one_of_the_file(seeded: Seeded, tokens: Mapping[str, str]) -> None:
    found = ask(seeded, tokens["root"], "report", by=["community,profile", "image"])
    assert {"by_community_profile", "by_image"} <= {table["name"] for table in found["tables"]}
    assert (found["format"], found["month"], found["communities"]) == (
        "hub-extensions/report", str(last_month()), None,
    )  # fmt: skip
    answer = call(seeded.hub, "report", tokens["root"], month=str(last_month()), format="csv")
    assert answer.headers["Content-Type"].startswith("text/csv")
    assert f"usage-{last_month()}.csv" in answer.headers["Content-Disposition"]
    assert {row["table"] for row in csv.DictReader(io.StringIO(answer.text))} >= {"about", "definitions", "total"}


def test_figures_of_few_people_do_not_leave_the_hub_in_a_report(seeded: Seeded, tokens: Mapping[str, str]) -> None:
    """Four people of the community were active, and there are five at least in what is shown."""
    for who in ("lin", "root"):
        found = ask(seeded, tokens[who], "report", by=["profile"], community="ocean-lab")
        assert found["withheld"] is True
        assert "Ocean" not in json.dumps(found["tables"])


# Who sees what


@pytest.mark.parametrize(
    ("who", "path", "status"),
    [
        ("ada2", "communities/ocean-lab", 403),
        ("ada2", "communities/none", 403),
        ("ada2", "hub", 403),
        ("ada2", "report", 403),
        ("ada2", "report?community=ocean-lab", 403),
        ("lin", "communities/ocean-lab", 200),
        ("lin", "communities/ice-lab", 403),
        ("lin", "communities/Ocean-Lab", 403),
        ("lin", "communities/oce%25", 403),
        ("lin", "communities/ocean-lab%2F..%2Fice-lab", 404),
        ("lin", "communities/ocean-lab%00", 403),
        ("lin", "hub", 403),
        ("lin", "report", 403),
        ("lin", "report?community=ocean-lab", 200),
        ("lin", "report?community=ice-lab", 403),
        ("ines", "communities/ice-lab", 200),
        ("ines", "communities/ocean-lab", 403),
        ("both", "communities/ice-lab", 200),
        ("both", "report?community=ocean-lab", 200),
        ("both", "report", 403),
        ("cy", "communities/ice-lab", 403),
        ("tui", "communities/ocean-lab", 403),
        ("tui", "hub", 403),
        ("zoe", "hub", 200),
        ("root", "report", 200),
    ],
)
def test_what_a_token_shows(seeded: Seeded, tokens: Mapping[str, str], who: str, path: str, status: int) -> None:
    answer = call(seeded.hub, path, tokens[who])
    assert answer.status_code == status
    assert set(answer.json()) == {"status", "message"} or status == 200


SOMEBODY_ELSES = [
    {"user": "ada"}, {"users": "ada"}, {"user_name": "ada"}, {"username": "ada"}, {"name": "ada"}, {"scope": "hub"},
    {"community": "ice-lab"}, {"communities": "ice-lab"}, {"group": "ice-lab"}, {"hub": "other"}, {"people": "1000"},
    {"by": "community"}, {"by": ["community", "image,choice"]}, {"limit": "500"}, {"attribution": "primary"},
    {"community": ["ocean-lab", "ice-lab"]}, {"community": "ocean-lab,ice-lab"}, {"community": "*"},
    {"community": ""}, {"token": "x"}, {"format": "csv"}, {"month": "2026-10' OR 1=1"},
]  # fmt: skip


@pytest.mark.parametrize("parameters", SOMEBODY_ELSES, ids=str)
def test_no_parameter_shows_a_member_another_person(
    seeded: Seeded, tokens: Mapping[str, str], parameters: dict[str, Any]
) -> None:
    others = (set(PEOPLE) | {"eve"}) - {"ada2"}
    for path in PATHS:
        answer = call(seeded.hub, path, tokens["ada2"], **{"month": str(last_month()), **parameters})
        assert answer.status_code in {200, 400, 403}
        if answer.status_code == 200:
            assert path in {"me", "sessions"}
            words = set(_texts(answer.json()))
            assert not words & others
            assert words <= {"Ocean analysis", "ada2", "ocean-lab"} | _harmless(words)


@pytest.mark.parametrize("parameters", SOMEBODY_ELSES, ids=str)
def test_no_parameter_shows_a_lead_another_community(
    seeded: Seeded, tokens: Mapping[str, str], parameters: dict[str, Any]
) -> None:
    for path in PATHS:
        answer = call(seeded.hub, path, tokens["lin"], **{"month": str(last_month()), **parameters})
        assert answer.status_code in {200, 400, 403}
        assert not [word for word in ("Ice", "None of a", "eve", "Of another hub") if word in answer.text]


@pytest.mark.parametrize("by", ["group", "profile,group"])
def test_a_lead_is_not_told_in_which_other_groups_their_members_are(
    seeded: Seeded, tokens: Mapping[str, str], by: str
) -> None:
    asked = {"by": by, "community": "ocean-lab", "month": str(last_month())}
    answer = call(seeded.hub, "report", tokens["lin"], **asked)
    assert (answer.status_code, "Only who sees the whole hub" in answer.json()["message"]) == (403, True)
    assert call(seeded.hub, "report", tokens["root"], **asked).status_code == 200


def _texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for each in value.values() for text in _texts(each)]
    if isinstance(value, list):
        return [text for each in value for text in _texts(each)]
    return [value] if isinstance(value, str) else []


def _harmless(words: set[str]) -> set[str]:
    """Words of the answer that are of nobody: moments, ids, reasons, units, sentences on the person's own quotas."""
    return {word for word in words if not any(name in word.split() for name in ("ada", "bo", "eve", "cy", "ines"))}


def test_a_token_without_access_to_the_service_shows_nothing(seeded: Seeded) -> None:
    answer = call(seeded.hub, "me", new_token(seeded.hub, "lin", ["read:users!user"]))
    assert answer.status_code == 403
    assert answer.json()["message"] == "This token lacks the scope access:services!service=usage."


def test_the_flag_admin_alone_shows_nothing_of_others(seeded: Seeded) -> None:
    narrow = new_token(seeded.hub, "root", ["access:services!service=usage"])
    assert {call(seeded.hub, path, narrow).status_code for path in ("hub", "report", "communities/ice-lab")} == {403}


@pytest.mark.parametrize("header", ["", "Bearer x", "Basic bGluOng=", "token", "Bearer é", "Bearer a b", "x" * 5000])
def test_without_a_valid_token_there_is_nothing(seeded: Seeded, header: str) -> None:
    for path in (*PATHS, "communities/x"):
        answer = requests.get(
            f"{seeded.hub.service}api/v1/{path}", headers={"Authorization": header.encode()}, timeout=20,
            allow_redirects=False,
        )  # fmt: skip
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
        assert answer.json()["status"] == 401


def test_no_cookie_counts(seeded: Seeded) -> None:
    visitor = seeded.hub.visitor("root")
    assert visitor.get(f"{seeded.hub.service}hub", timeout=20).status_code == 200
    for path in PATHS:
        assert visitor.get(f"{seeded.hub.service}api/v1/{path}", timeout=20).status_code == 401


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"])
def test_nothing_can_be_changed(seeded: Seeded, tokens: Mapping[str, str], method: str) -> None:
    for path in PATHS:
        answer = requests.request(
            method,
            f"{seeded.hub.service}api/v1/{path}",
            headers={"Authorization": f"Bearer {tokens['root']}"},
            data=b"{}",
            timeout=20,
        )
        assert answer.status_code == 405
        assert answer.headers["Allow"] == "GET"


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("me?month=2026-13", "month"),
        ("me?month=2026-10&month=2026-11", "2 times"),
        ("me?mouth=2026-10", "Did you mean 'month'?"),
        ("me?month=", "month"),
        ("sessions?limit=0", "limit"),
        ("sessions?limit=501", "limit"),
        ("sessions?after=x", "after"),
        ("hub?people=1001", "people"),
        ("report?by=user", "by"),
        ("report?by=profile&by=profile", "by"),
        ("report?format=html", "format"),
        ("me?month=%FF", "UTF-8"),
    ],
)
def test_a_mistake_is_said_with_its_name(seeded: Seeded, tokens: Mapping[str, str], path: str, said: str) -> None:
    answer = call(seeded.hub, path, tokens["root"])
    assert answer.status_code == 400
    assert said in answer.json()["message"]


def test_other_addresses_are_told_in_json(seeded: Seeded, tokens: Mapping[str, str]) -> None:
    for path in ("", "nothing", "me/", "communities/", "communities/a/b", "users/ada"):
        answer = call(seeded.hub, path, tokens["root"])
        assert (answer.status_code, answer.json()["status"]) == (404, 404)


# Its document


def document(seeded: Seeded) -> Any:
    answer = call(seeded.hub, "openapi.json", None)
    assert answer.status_code == 200
    return answer.json()


def test_the_document_names_every_operation_and_where_it_is(seeded: Seeded) -> None:
    found = document(seeded)
    assert found["openapi"] == "3.1.0"
    assert found["servers"] == [{"url": "/deep/hub-a/services/usage/api/v1"}]
    assert set(found["paths"]) == {"/me", "/sessions", "/communities/{name}", "/hub", "/report"}
    for schema in found["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize("who", ["ada2", "lin", "root"])
def test_it_answers_as_its_document_says_whatever_is_asked(
    seeded: Seeded, tokens: Mapping[str, str], who: str, mode: GenerationMode
) -> None:
    # Each request has a token: what comes without one is tested above.
    schema = schemathesis.openapi.from_dict({**document(seeded), "security": []})
    base = seeded.hub.service.removesuffix("/")
    for result in schema.get_all_operations():

        @settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck), database=None)
        @given(case=result.ok().as_strategy(generation_mode=mode))
        def conforms(case: Any) -> None:
            case.call_and_validate(
                base_url=f"{base}/api/v1", headers={"Authorization": f"Bearer {tokens[who]}"}, timeout=30
            )

        conforms()
