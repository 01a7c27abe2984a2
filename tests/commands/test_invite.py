"""`hub-extensions invite`, called as from a shell."""

import json
import re
from datetime import UTC, datetime
from functools import partial
from urllib.parse import parse_qs, urlsplit

import pytest

from hub_extensions.invitations import Person
from hub_extensions.ledger import Ledger
from hub_extensions.ledger.invitations import InvitationStore

from .running import run, settings_file

SETTINGS = """
communities:
  ocean-lab: {{members: [{{invitation: true}}]}}
  ice-lab: {{members: [{{users: [ada]}}]}}
usage: {{database: "{url}", hub_name: reef}}
"""


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path}/usage.sqlite"


@pytest.fixture
def file(tmp_path, url):
    return settings_file(tmp_path, SETTINGS.format(url=url))


call = partial(run, "invite")


def test_an_invitation_is_made_listed_and_withdrawn(file, url):
    to = ["--settings", file, "--community", "ocean-lab", "--format", "json"]
    made = call(
        *to, "--uses", "3", "--expires", "2w", "--note", "Course", "--by", "lin", "--hub-url", "https://h.org/x/"
    )
    assert made.exit_code == 0, made.output
    printed = json.loads(made.stdout)
    assert printed["link"].startswith("https://h.org/x/hub/invitation?token=")
    store = InvitationStore(Ledger(url), "reef")
    invitation = store.look_up(parse_qs(urlsplit(printed["link"]).query)["token"][0])
    assert (invitation.uses_allowed, invitation.note, invitation.made_by) == (3, "Course", "lin")
    assert (invitation.expires_at - invitation.made_at).days == 14
    store.redeem(invitation.id, Person("github", "7", "ada"), datetime.now(UTC))
    [listed] = json.loads(call(*to, "--list").stdout)
    assert (listed["status"], [use["user_name"] for use in listed["uses"]]) == ("open", ["ada"])
    assert "token" not in str(listed)
    assert "link" not in listed
    assert json.loads(call(*to, "--revoke", str(invitation.id)).stdout) == {"revoked": invitation.id}
    assert json.loads(call(*to, "--list").stdout)[0]["status"] == "withdrawn"


def test_it_prints_for_people_without_a_file_of_settings(url):
    made = call("--database", url, "--community", "ocean-lab", "--hub-url", "http://h.org/hub")
    assert re.search(r"^link: http://h\.org/hub/invitation\?token=\S+$", made.stdout, re.MULTILINE)
    assert "uses_allowed: 1\n" in made.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--community", "ocean-lab"], "Where is the hub?"),
        (["--community", "ocean-lab", "--hub-url", "h.org"], "Where is the hub?"),
        (["--community", "ice-lab", "--hub-url", "http://h"], "ice-lab does not admit people by invitation"),
        (["--community", "ocean", "--hub-url", "http://h"], "Did you mean 'ocean-lab'?"),
        (["--community", "ocean-lab", "--hub-url", "http://h", "--expires", "soon"], "'soon' is neither a time"),
        (["--community", "ocean-lab", "--hub-url", "http://h", "--uses", "0"], "for 1 to 10000 people"),
        (["--community", "ocean-lab", "--hub-url", "http://h", "--expires", "2001-01-01"], "ends in the future"),
        (["--community", "ocean-lab", "--revoke", "9"], "There is no invitation 9"),
        (["--community", "ocean-lab", "--revoke", "9", "--list"], "ask for one"),
        (["--community", "ocean-lab", "--list", "--database", "oracle://x"], "must be sqlite"),
    ],
)
def test_a_wrong_call_ends_in_one_sentence(file, arguments, said):
    ended = call("--settings", file, *arguments)
    assert ended.exit_code == 2
    assert said in ended.stderr
    assert "Traceback" not in ended.output


def test_without_a_database_it_says_where_to_give_one():
    ended = call("--community", "ocean-lab", "--list")
    assert ended.exit_code == 2
    assert "Where is the hub's database?" in ended.stderr


def test_a_database_that_does_not_answer_is_said_in_one_sentence(tmp_path):
    ended = call("--database", f"sqlite:///{tmp_path}/no/folder.sqlite", "--community", "ocean-lab", "--list")
    assert ended.exit_code == 1
    assert "The database does not answer" in ended.stderr
