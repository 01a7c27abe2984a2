import pytest

from hub_extensions.placeholders import Placeholder, check_names, parsed


@pytest.mark.parametrize(
    ("template", "parts"),
    [
        ("", ()),
        ("plain 100 %", ("plain 100 %",)),
        ("a-{group}/x", ("a-", Placeholder("group"), "/x")),
        ("{auth_state[a b][0]}", (Placeholder("auth_state", ("a b", "0")),)),
        ("{auth_state[https://example.org/claims]}", (Placeholder("auth_state", ("https://example.org/claims",)),)),
        ("{{not one}}", ("{", "not one}")),
    ],
)
def test_a_template_is_text_and_placeholders(template, parts):
    assert parsed(template) == parts


@pytest.mark.parametrize(
    "template",
    [
        "{auth_state.__class__}",
        "{auth_state[a].__init__}",
        "{auth_state[a]!r}",
        "{auth_state[a]:>10}",
        "{}",
        "{0[a]} {",
        "a}b",
        "{auth_state[a[b]]}",
        "{auth_state[]}",
    ],
)
def test_what_reaches_further_than_keys_is_a_mistake(template):
    with pytest.raises(ValueError, match=r"brace|placeholder"):
        parsed(template)


def test_an_unknown_name_is_answered_with_the_nearest_known_one():
    assert check_names("{group}/{username}", ["group", "username"]) == {"group", "username"}
    with pytest.raises(ValueError, match=r"unknown placeholder \{gruop\}\. Did you mean 'group'\?"):
        check_names("{gruop}", ["group", "username"])
