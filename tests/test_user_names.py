"""Names on a hub: how they are made of claims, which are refused, and pseudonyms."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kubespawner.slugs import safe_slug
from pydantic import TypeAdapter, ValidationError

from hub_extensions.user_names import (
    LONGEST,
    RESERVED,
    RefusedName,
    Step,
    TakenNames,
    derived,
    is_among,
    look_of,
    pseudonym,
    refuse_unfit,
)

PEPPER = b"0123456789abcdef"


def steps(*written):
    return TypeAdapter(tuple[Step, ...]).validate_python(written)


# Which names in settings mean somebody.


@pytest.mark.parametrize(
    ("name", "named", "expected"),
    [
        ("ada", "ada", True),
        ("ada", "Ada", True),
        ("Ada", "ada", True),  # on a hub that keeps capitals
        ("ada@example.org", "Ada@Example.org", True),
        ("ada2", "ada", False),
        ("ad", "ada", False),
        ("straße", "STRAßE", True),
        ("strasse", "straße", False),
        ("ﬁona", "fiona", False),
    ],
)
def test_settings_mean_whoever_is_called_so_but_for_capitals(name, named, expected):
    assert is_among(name, ["somebody", named]) is expected
    assert not is_among(name, [])


# From a claim to a name.


@pytest.mark.parametrize(
    ("written", "claim", "name"),
    [
        ([], "ada", "ada"),
        ([{"last_path_segment": True}], "https://orcid.org/0000-0001", "0000-0001"),
        ([{"last_path_segment": True}], "https://orcid.org/0000-0001/", "0000-0001"),
        ([{"last_path_segment": True}], "ada", "ada"),
        ([{"strip_domain": "example.edu"}], "ada@example.edu", "ada"),
        ([{"strip_domain": "example.edu"}], "ada@EXAMPLE.edu", "ada"),
        ([{"strip_domain": "example.edu"}], "ada@evil-example.edu", "ada@evil-example.edu"),
        ([{"strip_domain": "example.edu"}], "ada@sub.example.edu", "ada@sub.example.edu"),
        ([{"strip_domain": "example.edu"}], "ada@example.edu.evil.com", "ada@example.edu.evil.com"),
        ([{"prefix": "uni-"}], "ada", "uni-ada"),
        ([{"match": "([a-z]+)@example[.]edu"}], "ada@example.edu", "ada"),
        ([{"match": "[a-z]+"}], "ada", "ada"),
        ([{"last_path_segment": True}, {"prefix": "orcid-"}], "https://orcid.org/1", "orcid-1"),
        ([{"strip_domain": "x.org"}, {"match": "[a-z]+"}, {"prefix": "x-"}], "ada@x.org", "x-ada"),
    ],
)
def test_steps_make_a_name_of_a_claim(written, claim, name):
    assert derived(claim, steps(*written)) == name


@pytest.mark.parametrize(
    ("written", "claim"),
    [
        ([{"match": "[a-z]+"}], "ada@evil.com"),
        ([{"match": "[a-z]+"}], "ada\n"),
        ([{"match": "[a-z]+"}], "ADA"),
        ([{"match": "([a-z]*)@x[.]org"}], "@x.org"),
        ([{"match": "(a)?b"}], "b"),
        ([{"last_path_segment": True}], "///"),
        ([{"last_path_segment": True}], ""),
        ([{"strip_domain": "x.org"}], "@x.org"),
        ([{"prefix": "uni-"}], ""),
        ([], "\u212aim"),  # the Kelvin sign
        ([{"prefix": "x-"}], "\u212aim"),
    ],
)
def test_what_no_step_fits_is_refused_and_not_let_through(written, claim):
    with pytest.raises(RefusedName):
        derived(claim, steps(*written))


@pytest.mark.parametrize(
    "written",
    [
        {},
        {"prefix": ""},
        {"prefix": "a", "last_path_segment": True},
        {"strip_domains": "x.org"},
        {"match": "("},
        {"match": "(a)(b)"},
    ],
    ids=str,
)
def test_a_step_is_one_thing_that_can_be_done(written):
    with pytest.raises(ValidationError):
        Step.model_validate(written)


# Pseudonyms.


def test_a_pseudonym_is_the_same_at_each_login_and_tells_nothing():
    name = pseudonym(PEPPER, "oidc", "", "ada@example.edu")
    assert name == pseudonym(PEPPER, "oidc", "", "ada@example.edu")
    assert re.fullmatch(r"[a-z2-7]{24}", name)
    assert "ada" not in name


@given(st.tuples(st.text(), st.text(), st.text(min_size=1)), st.tuples(st.text(), st.text(), st.text(min_size=1)))
def test_different_people_have_different_pseudonyms(one, other):
    assert (pseudonym(PEPPER, *one) == pseudonym(PEPPER, *other)) == (one == other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("a", "b", "c"), ("ab", "", "c")),
        (("a", "b", "c"), ("a", "bc", "")),
        (("", "a", "b"), ("a", "", "b")),
        (("a", '", "', "b"), ("a", "", '", "b')),
        (("oidc", "", "7"), ("github", "", "7")),
        (("cilogon", "x", "7"), ("cilogon", "y", "7")),
        (("oidc", "", "ada"), ("oidc", "", "Ada")),
        (("oidc", "", "\ud800"), ("oidc", "", "\udfff")),
    ],
)
def test_provider_identity_provider_and_subject_are_kept_apart(one, other):
    names = [pseudonym(PEPPER, *each) for each in (one, other) if each[2]]
    assert len(set(names)) == len(names)


def test_with_another_pepper_everybody_is_called_something_else():
    assert pseudonym(PEPPER, "oidc", "", "ada") != pseudonym(b"another pepper!!", "oidc", "", "ada")


@pytest.mark.parametrize("pepper", [b"", b"x" * 15, b"x" * 65, b"x" * 1_000_000])
def test_a_pepper_is_neither_missing_nor_short_nor_cut(pepper):
    with pytest.raises(ValueError, match=f"this has {len(pepper)}"):
        pseudonym(pepper, "oidc", "", "ada")


@pytest.mark.parametrize("length", [16, 64])
def test_a_pepper_may_have_any_length_between(length):
    assert pseudonym(b"x" * length, "oidc", "", "ada")


def test_nobody_has_a_pseudonym_without_a_subject():
    with pytest.raises(ValueError, match="who this is"):
        pseudonym(PEPPER, "oidc", UNIVERSITY, "")


UNIVERSITY = "https://idp.example.edu/idp/shibboleth"


# Names that could be taken for one another.

TWINS = [
    ("ada", "Ada"),
    ("fiona", "ﬁona"),
    ("kim", "\u212aim"),
    ("ian", "ıan"),
    ("sam", "ſam"),
    ("straße", "strasse"),
    ("é", "e\u0301"),
    ("ada", "ａｄａ"),
    ("ada1", "ada①"),
    ("ada", "ᴬda"),
    ("i\u0307", "İ"),
]


@pytest.mark.parametrize(("name", "twin"), TWINS)
def test_a_name_that_looks_or_compares_like_one_in_use_is_a_twin(name, twin):
    for one, other in ((name, twin), (twin, name)):
        taken = TakenNames()
        taken.add(one)
        assert taken.twin_of(other) == one
        assert taken.twin_of(one) is None, "nobody is their own twin"


@pytest.mark.parametrize(("name", "other"), [("ada", "adam"), ("ada", "ad"), ("ada.l", "adal"), ("ada-1", "ada1")])
def test_other_names_are_no_twins(name, other):
    taken = TakenNames()
    taken.add(name)
    assert taken.twin_of(other) is None


def test_names_that_are_shortened_alike_are_twins():
    """KubeSpawner's short names end in 32 bits: two people can be made to share one, in seconds."""
    name, alike = "a" * 48 + "@98607", "a" * 48 + "@71719"
    assert safe_slug(name) == safe_slug(alike)
    taken = TakenNames(safe_slug)
    taken.add(name)
    assert taken.twin_of(alike) == name
    assert TakenNames().twin_of(alike) is None, "where names are not shortened they are two"


def test_a_name_that_is_given_up_is_free_again():
    taken = TakenNames(safe_slug)
    taken.add("ada")
    taken.discard("ada")
    taken.discard("never there")
    assert taken.twin_of("Ada") is None


@given(st.text(), st.text())
def test_two_names_look_alike_both_ways_round(one, other):
    taken, back = TakenNames(), TakenNames()
    taken.add(one)
    back.add(other)
    assert (taken.twin_of(other) is None) == (back.twin_of(one) is None)


@given(st.text())
def test_how_a_name_looks_does_not_change_by_case_or_by_looking_again(name):
    assert look_of(look_of(name)) == look_of(name)
    assert look_of(name.casefold()) == look_of(name)


# Names that nobody gets.


@pytest.mark.parametrize(
    "name",
    [
        "", ".", "..", "...", " ", " ada", "ada ", "ada\n", "\tada", "\u00a0ada",
        "ad\0a", "ad\x1ba", "ad\x7fa", "ad\x85a", "ad\u200ba", "ad\u202ea", "ad\u2028a", "ad\ue000a", "\ud800",
        "ad\ufeffa",
        "x" * (LONGEST + 1), "x" * 1_000_000,
        *RESERVED, "Admin", "ROOT", "ｒｏｏｔ", "adm\u0131n", "\u017fystem", "jupyterhuB",
    ],
    ids=lambda name: ascii(name[:20]),
)  # fmt: skip
def test_a_name_that_cannot_be_shown_or_is_reserved_is_refused(name):
    with pytest.raises(RefusedName) as refused:
        refuse_unfit(name, RESERVED, granted=())
    assert len(str(refused.value)) < 200, "a sentence, without the name"


@pytest.mark.parametrize(
    "name", ["ada", "ada@example.edu", "g:ada@example.edu", "a.b", ".a", "é", "李", "ада", "x" * 255]
)
def test_names_as_people_have_them_are_fine(name):
    refuse_unfit(name, RESERVED, granted=())


def test_a_reserved_name_is_for_whom_the_operator_names():
    refuse_unfit("admin", RESERVED, granted={"admin"})
    with pytest.raises(RefusedName):
        refuse_unfit("adm\u0131n", RESERVED, granted={"admin"})


@given(st.text(), st.lists(st.text(), max_size=3))
def test_a_refusal_of_a_name_is_always_an_answer(name, reserved):
    try:
        refuse_unfit(name, reserved, granted=())
    except RefusedName:
        return
    assert 0 < len(name.strip()) <= LONGEST
    assert not {unicodedata.category(letter) for letter in name} & {"Cc", "Cf", "Cs"}
    assert look_of(name) not in map(look_of, reserved)
