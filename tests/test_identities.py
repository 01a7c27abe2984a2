import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub_extensions import identities

from .ids import steady


@pytest.mark.parametrize(
    ("claim", "groups"),
    [
        (["a", "b"], {"a", "b"}),
        (("a",), {"a"}),
        ({"a", "b"}, {"a", "b"}),
        ("ocean", {"ocean"}),
        (20024, {"20024"}),
        ([20024, "a"], {"20024", "a"}),
        (None, set()),
        ("", set()),
        (True, set()),
        ([None, True, {"a": 1}, ["b"], "c"], {"c"}),
        ({"a": True}, set()),
        (1.5, set()),
        (["x" * 255, "y" * 256], {"x" * 255}),
        (["a\0b", "\ud800", " ", "\n", "a b"], {"a b"}),
        ("y" * 256, set()),
    ],
    ids=steady,
)
def test_a_claim_names_groups_and_never_letters(claim, groups):
    assert identities.groups_of(claim) == groups


@pytest.mark.parametrize(
    ("email", "domain"),
    [
        ("ada@uni.edu", "uni.edu"),
        ("Ada.L+hub@UNI.edu", "uni.edu"),
        ("ada@evil-uni.edu", "evil-uni.edu"),
        ("ada@uni.edu.evil.com", "uni.edu.evil.com"),
        ("ada@xn--n-iga.edu", "xn--n-iga.edu"),
        ("ada@uni.edu.", ""),
        ("ada@.uni.edu", ""),
        ("a@b@uni.edu", ""),
        ('"@uni.edu"', ""),
        ('"ada@uni.edu"@evil.com', ""),
        ("ada@evil.com(@uni.edu)", ""),
        ("ada@evil.com, ada@uni.edu", ""),
        ("<ada@uni.edu>", ""),
        ("ada@[127.0.0.1]", ""),
        (" ada@uni.edu", ""),
        ("ada@uni.edu ", ""),
        ("ada@uni.edu\n", ""),
        ("ada@uni.edu\0", ""),
        ("ada@uni\u200b.edu", ""),
        ("ada@\u212auni.edu", ""),  # the Kelvin sign becomes a k in lower case
        ("ada@ün.edu", ""),
        ("ada@unı.edu", ""),
        ("ada@uni\uff0eedu", ""),
        ("@uni.edu", ""),
        ("ada@", ""),
        ("ada", ""),
        ("", ""),
    ],
    ids=repr,
)
def test_the_domain_of_an_address_is_of_one_plain_address(email, domain):
    assert identities.domain_of(email) == domain


@given(st.text())
def test_a_domain_is_always_the_end_of_the_address(email):
    domain = identities.domain_of(email)
    assert domain == "" or email.lower().endswith(f"@{domain}")


@pytest.mark.parametrize(("claim", "yes"), [(True, True), ("true", True), ("True", True), (False, False)])
def test_what_providers_write_for_yes(claim, yes):
    assert identities.is_true(claim) is yes


@pytest.mark.parametrize("claim", ["false", "yes", "1", 1, None, [True], ["true"], {"true": True}], ids=repr)
def test_nothing_else_is_a_yes(claim):
    assert not identities.is_true(claim)
