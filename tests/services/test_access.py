"""Who may see what, by the scopes of a token."""

import pytest

from hub_extensions.services.usage.access import Access


@pytest.mark.parametrize(
    ("scopes", "communities", "hub"),
    [
        ([], (), False),
        (["access:services!service=usage", "read:users:name!user=ada"], (), False),
        (["custom:usage:read!group=ocean-lab"], ("ocean-lab",), False),
        (["custom:usage:read!group=b", "custom:usage:read!group=a=b!c"], ("a=b!c", "b"), False),
        (["custom:usage:read"], (), True),
        (["read:users:activity"], (), True),
        (["read:users:activity!group=ocean-lab", "read:users:activity!user=ada"], (), False),
        (["custom:usage:read!user=ada", "custom:usage:read!server=ada/"], (), False),
        (["custom:usage:reader", "xcustom:usage:read", "custom:usage"], (), False),
        (["admin:users", "admin-ui", "read:metrics"], (), False),
    ],
)
def test_scopes_say_which_communities_and_whether_the_hub(
    scopes: list[str], communities: tuple[str, ...], hub: bool
) -> None:
    assert Access.of({"kind": "user", "name": "ada", "scopes": scopes}) == Access("ada", communities, hub)


def test_a_community_is_seen_under_its_exact_name() -> None:
    access = Access.of({"kind": "user", "name": "ada", "scopes": ["custom:usage:read!group=ocean"]})
    assert access.sees("ocean")
    assert not any(access.sees(name) for name in ("ocean-lab", "Ocean", "ocean ", "", "oce%"))


def test_a_service_that_is_called_like_a_person_is_not_that_person() -> None:
    assert Access.of({"kind": "service", "name": "ada", "scopes": []}).user == ""


def test_a_flag_admin_opens_nothing() -> None:
    assert not Access.of({"kind": "user", "name": "ada", "admin": True, "scopes": []}).hub
