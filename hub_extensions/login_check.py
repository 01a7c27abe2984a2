"""The check of a hub's login: settings that are valid, and yet admit nobody, or others than they seem to.

`check` knows what is configured and which authenticator is in use. It starts nothing and asks nobody.
"""

import re
from collections.abc import Collection, Iterator, Mapping

from .findings import Finding, error, warning
from .login_rules import admits_by_name, check_rules
from .login_settings import Login, listed
from .mistakes import did_you_mean, nearest, shown

_EMPTY_BY_DEFAULT = {
    "OAuthenticator",
    "CommunityAuthenticator",
    "SharedPasswordAuthenticator",
    "DummyAuthenticator",
}
_ADDED_UP = ("admin_users", "blocked_users")  # by ours; with other classes the most specific one hides the others
_LISTS = (*_ADDED_UP, "allowed_users", "allowed_groups", "admin_groups", "allowed_organizations", "allowed_scopes")
# Sections that charts and settings fill whatever the authenticator is.
_COMMON = ("Authenticator", "OAuthenticator", "LocalAuthenticator", "CommunityAuthenticator", "CommunityOAuthenticator")
_DECIDES = re.compile(r"allow|admin|block|den(y|ied)|white|black|domain|group|team|organi|idp|verif|user")


def check(login: Login) -> list[Finding]:
    """Everything that is wrong or doubtful in what is configured of a login."""
    return [
        *_wrong_place(login),
        *_text_for_a_list(login),
        *_hidden(login),
        *_unknown(login),
        *_dead(login),
        *_without_proof(login),
        *check_rules(login),
        *_never_again(login),
        *_nobody(login),
    ]


def _wrong_place(login: Login) -> Iterator[Finding]:
    """Sections inside sections, and the authenticator's class named in another section than JupyterHub's."""
    chosen = login.sections.get("JupyterHub", {}).get("authenticator_class")
    for name, section in login.sections.items():
        if not name.endswith("Authenticator") and name != "JupyterHub":
            continue
        for key, value in section.items():
            if key[:1].isupper() and isinstance(value, Mapping) and value:
                inner = ", ".join(sorted(map(str, value))[:3])
                if name == "JupyterHub":
                    yield _read_by_the_hub_alone(key)
                    continue
                what = f"is a section inside another, so nothing in it ({inner}) has an effect."
                yield error(f"c.{name}.{key}", what, f"Put it beside {name}, as c.{key}.")
        if "authenticator_class" in section and name != "JupyterHub":
            named = section["authenticator_class"]
            doubt = warning if named == chosen else error
            yield doubt(
                f"c.{name}.authenticator_class",
                f"is read by nobody; {shown(chosen) if chosen else 'the default of JupyterHub'} is in use.",
                "Remove it." if named == chosen else "Set c.JupyterHub.authenticator_class instead.",
            )


def _read_by_the_hub_alone(key: str) -> Finding:
    """Of what the application makes, traitlets takes sections inside its own for theirs."""
    what = f"is a section inside another: the hub reads it as c.{key}, and this check and explain do not."
    why = "What it allows, refuses or gives is missing from every answer here."
    return warning(f"c.JupyterHub.{key}", what, f"Put it beside JupyterHub, as c.{key}.", why)


def _text_for_a_list(login: Login) -> Iterator[Finding]:
    for trait in _LISTS:
        for path, value in login.places(trait):
            if not isinstance(value, str):
                continue
            if re.search(r"[,;\s]", value.strip()):
                yield error(path, f"is one text, {shown(value)}, and so one name that nobody has.", "Write a list.")
            else:
                what = f"is text and not a list; it is taken for [{shown(value)}]."
                why = "What adds to it, such as a snippet of Python, expects a list."
                yield warning(path, what, "Write it as a list.", why)


def _hidden(login: Login) -> Iterator[Finding]:
    """Lists of people in two sections, of which only one counts, or counted so far."""
    for trait in (*_ADDED_UP, "allowed_users"):
        (path, first), *others = login.places(trait) or [("", ())]
        for other, value in others:
            more = {str(name).casefold() for name in listed(value)} - {str(name).casefold() for name in listed(first)}
            if not more:
                continue
            count = "one name" if len(more) == 1 else f"{len(more)} names"
            if login.ours and trait in _ADDED_UP:
                what = f"has {count} that {path} hides from other authenticators; here both lists count."
                why = "More people are " + (
                    "administrators than before." if trait == "admin_users" else "refused than before."
                )
                yield warning(other, what, "Look whether all of them are meant, and keep one list.", why)
            else:
                yield warning(
                    other,
                    f"has {count} without effect: {path} hides them.",
                    "Keep one list.",
                    "They are not what it says.",
                )


def _unknown(login: Login) -> Iterator[Finding]:
    """Names that no class knows. One that sounds as if it decided who may log in must not be passed over."""
    for name, section in login.in_use:
        for trait in section if login.traits else ():
            if trait in login.traits or trait[:1].isupper() or trait == "authenticator_class":
                continue
            advice = did_you_mean(trait, login.traits) or _alike(trait, login.traits)
            if _DECIDES.search(trait):
                what = "is not a setting of this authenticator, so nothing is allowed or refused by it."
                yield error(f"c.{name}.{trait}", what, advice)
            else:
                yield warning(
                    f"c.{name}.{trait}",
                    "is not a setting of this authenticator.",
                    advice,
                    "It is passed over without a word.",
                )


def _alike(trait: str, known: Collection[str]) -> str:
    """Advice where no name is near in spelling: one that shares its last words."""
    words = trait.rstrip("s").split("_")[1:]
    guess = nearest("_".join(words), known) if words else None
    return f"Did you mean {guess!r}?" if guess else "Remove it, or use the version of the authenticator that knows it."


def _dead(login: Login) -> Iterator[Finding]:
    """Sections of authenticators that are not in use, if they say who may log in."""
    for name, section in login.sections.items():
        if not login.classes or not name.endswith("Authenticator") or name in (*login.classes, *_COMMON):
            continue
        says = [trait for trait in section if re.match(r"allow|admin|block|idps|hosted_domain|communities", trait)]
        says = [trait for trait in says if section[trait] and trait != "allow_existing_users"]
        if says:
            yield warning(
                f"c.{name}",
                f"says who may log in ({', '.join(sorted(says)[:3])}), but {login.classes[0]} is in use.",
                "Remove it: nothing reads it.",
                "It looks as if it decided who may log in.",
            )


def _without_proof(login: Login) -> Iterator[Finding]:
    """Admins whose password is everybody's, or that nobody can be."""
    path = next((path for path, value in login.places("admin_users") if value), "")
    if not path:
        return
    if "DummyAuthenticator" in login.classes and not login.value("dummy_admins"):
        hub, who = "that asks for no proof", "anybody"
        if login.value("password"):
            hub, who = "whose people share one password", "whoever knows it"
        yield error(
            path, f"names admins of a hub {hub}: {who} can log in as one of them.",
            "Remove them, or choose another authenticator.", "Admins can do everything, as anybody.",
        )  # fmt: skip
    if "SharedPasswordAuthenticator" in login.classes and not login.value("admin_password"):
        yield warning(
            path, "names admins, who cannot log in: there is no admin_password.",
            "Set c.SharedPasswordAuthenticator.admin_password, of 32 characters or more.",
        )  # fmt: skip


def _never_again(login: Login) -> Iterator[Finding]:
    """Rules that are decided at the login alone, so that they hold for whoever has stopped meeting them."""
    if not login.ours or not login.rules or not login.providers - {"dummy"}:
        return
    meanings = {
        "auth_refresh_age": "asks nobody again what people belong to: who leaves has access until their next login.",
        "enable_auth_state": "keeps nothing of what people logged in with: nobody is asked again what they belong to, "
        "and two accounts of one name are one user.",
    }
    for trait, what in meanings.items():
        for path, value in login.places(trait)[:1]:
            if not value:
                yield warning(path, what, "Remove it: outages of the provider lock nobody out.")


def _nobody(login: Login) -> Iterator[Finding]:
    """No rule at all. Authenticators that admit everybody by themselves, and those of programs, are not meant."""
    if not _EMPTY_BY_DEFAULT & set(login.classes) or admits_by_name(login):
        return
    if any(entry.get("allow_all") or entry.get("allowed_domains") for entry in login.idps.values()):
        return
    if login.rules:
        return
    yield warning(
        "communities", "nothing says who may log in, so nobody may.",
        "Name communities and their members, or c.Authenticator.allowed_users; allow_all admits everybody.",
    )  # fmt: skip
