from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
import yaml

from hub_extensions import settings
from hub_extensions.announcements import Announcement
from hub_extensions.mistakes import SettingsError
from hub_extensions.pages import PageContext

BERLIN = ZoneInfo("Europe/Berlin")


def announced(text: str) -> Announcement:
    """An announcement as a YAML file has it."""
    return Announcement.model_validate({"text": "Hello", **yaml.safe_load(text)})


@pytest.mark.parametrize(
    ("dates", "at", "is_shown"),
    [
        ("{}", "2026-01-01T00:00+00:00", True),
        # Days are the hub's own, and the last one is one of them.
        ("{from: 2026-03-10, until: 2026-03-12}", "2026-03-09T22:59:59+00:00", False),
        ("{from: 2026-03-10, until: 2026-03-12}", "2026-03-09T23:00:00+00:00", True),
        ("{from: 2026-03-10, until: 2026-03-12}", "2026-03-12T22:59:59+00:00", True),
        ("{from: 2026-03-10, until: 2026-03-12}", "2026-03-12T23:00:00+00:00", False),
        ("{until: '2026-03-12'}", "2026-03-12T22:00+00:00", True),
        ("{until: 9999-12-31}", "2026-03-12T22:00+00:00", True),
        # Clocks go forward on 29 March 2026: that day has 23 hours.
        ("{until: 2026-03-29}", "2026-03-29T21:59:59+00:00", True),
        ("{until: 2026-03-29}", "2026-03-29T22:00:00+00:00", False),
        # A time is that moment, by the hub's clock or by the offset that it has.
        ("{until: 2026-03-12 18:00:00}", "2026-03-12T16:59:59+00:00", True),
        ("{until: 2026-03-12 18:00:00}", "2026-03-12T17:00:00+00:00", False),
        ("{until: '2026-03-12 18:00'}", "2026-03-12T17:00:00+00:00", False),
        ("{from: '2026-03-12T18:00-05:00'}", "2026-03-12T22:59:59+00:00", False),
        ("{from: 2026-03-12T18:00:00-05:00}", "2026-03-12T23:00:00+00:00", True),
        # Midnight is a time too, and not the whole day that begins then.
        ("{until: 2026-03-12 00:00:00}", "2026-03-11T23:00:00+00:00", False),
    ],
)
def test_an_announcement_is_shown_within_its_dates_by_the_hubs_time_zone(dates: str, at: str, is_shown: bool) -> None:
    assert announced(dates).is_shown_at(datetime.fromisoformat(at), BERLIN) is is_shown


@pytest.mark.parametrize(
    ("communities", "groups", "is_for"),
    [
        ("[]", [], True),
        ("[]", ["land"], True),
        ("[ocean-lab]", [], False),
        ("[ocean-lab]", ["land"], False),
        ("[ocean-lab]", ["Ocean-LAB"], True),
        ("[ocean-lab, land]", ["land", "other"], True),
    ],
)
def test_an_announcement_of_communities_is_for_their_members(communities: str, groups: list[str], is_for: bool) -> None:
    assert announced(f"communities: {communities}").is_for(groups) is is_for


def test_each_page_shows_what_is_for_it_for_its_reader_and_for_this_moment() -> None:
    told = [
        announced("{text: all}"),
        announced("{text: door, pages: [login]}"),
        announced("{text: inside, pages: [home, spawn]}"),
        announced("{text: ocean, communities: [ocean-lab]}"),
        announced("{text: past, until: 2026-03-01}"),
    ]
    moments = [datetime(2026, 3, 1, 22, tzinfo=UTC), datetime(2026, 3, 1, 23, tzinfo=UTC)]
    member = type("User", (), {"groups": ["ocean-lab"]})()
    pages = PageContext("Hub", announcements=lambda: told, zone=BERLIN, now=lambda zone: moments[0].astimezone(zone))

    def texts(user: object, page: str) -> list[str]:
        return [each.text for each in pages(user).announced_on(page)]

    assert texts(None, "login") == ["all", "door", "past"]
    moments.pop(0)
    assert texts(None, "login") == ["all", "door"]
    assert texts(member, "spawn") == texts(member, "home") == ["all", "inside", "ocean"]
    assert texts(member, "") == ["all", "ocean"]


def test_mistakes_in_announcements_are_all_told_with_what_was_probably_meant() -> None:
    with pytest.raises(SettingsError) as caught:
        settings.load(
            {
                "usage": {"time_zone": "Europe/Berlin"},
                "communities": {"ocean-lab": {"members": [{"users": ["ada"]}]}},
                "announcements": [
                    {"text": "A", "communities": ["ocean-lap"]},
                    {"text": "B", "communities": ["OCEAN-lab"], "from": "2026-03-02", "until": "2026-03-01"},
                    {"text": "C", "from": "2026-03-01T12:00+00:00", "until": "2026-03-01 13:00"},
                    {"text": "D", "from": "2026-03-01", "until": "2026-03-01"},
                ],
            }
        )
    assert [str(mistake) for mistake in caught.value.mistakes] == [
        "announcements[0].communities[0]: there is no community 'ocean-lap'. Did you mean 'ocean-lab'?",
        "announcements[1].until: 2026-03-01 is before from, 2026-03-02.",
        "announcements[2].until: 2026-03-01 13:00:00 is before from, 2026-03-01 12:00:00+00:00.",
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{pages: [log-in]}", "announcements[0].pages: there is no page 'log-in'. Did you mean 'login'?"),
        (
            "{from: soon}",
            "announcements[0].from: expected a date such as 2026-01-31 or a time such as 2026-01-31 18:00",
        ),
        ("{until: 20260131}", "announcements[0].until: expected a date"),
        ("{until: true}", "announcements[0].until: expected a date"),
        ("{text: ''}", "announcements[0].text: "),
        ("{page: [login]}", "announcements[0].page: unknown key. Did you mean 'pages'?"),
    ],
)
def test_a_mistake_in_an_announcement_is_told_in_words(text: str, told: str) -> None:
    with pytest.raises(SettingsError) as caught:
        settings.load({"announcements": [{"text": "A", **yaml.safe_load(text)}]})
    [mistake] = caught.value.mistakes
    assert str(mistake).startswith(told)
