"""User names: how a hub's name for a person is made of what a provider says, and which names are refused.

Requirements:

- one name is one person: a name that looks like, compares like, or is abbreviated like another person's is refused;
- a step that does not apply to a name refuses the name, rather than let it through as it is;
- a pseudonym is the same at each login, and nobody without the pepper can tell whose it is.
"""

import base64
import hashlib
import json
import re
import string
import unicodedata
from collections.abc import Callable, Iterable
from typing import Annotated, Self

import escapism
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from .patterns import compiled, matched

# Names under which people expect the hub itself, or those who run it.
RESERVED = ("admin", "administrator", "root", "hub", "jupyterhub", "system")
PEPPER_BYTES = 16  # fewer can be guessed
LONGEST = 255  # characters; what JupyterHub's database keeps
_INVISIBLE = {"Cc", "Cf", "Co", "Cs", "Zl", "Zp"}  # Unicode's categories of control, format and private characters


def key(name: str) -> str:
    """The form under which a name in settings and a name of the hub are compared: lower case, as JupyterHub has names.

    Not casefold: of it, `ﬁona` is `fiona`, but to JupyterHub they are two people.
    """
    return name.lower()


def is_among(name: str, names: Iterable[str]) -> bool:
    """Whether settings name this user."""
    return key(name) in map(key, names)


class RefusedName(Exception):  # noqa: N818 - it is an answer to a person, not a fault
    """This name cannot be one on this hub; the message says why, in a sentence."""


def _compiles(pattern: str) -> str:
    if compiled(pattern).groups > 1:
        raise ValueError("has more than one group (…): the name is what the one group matches, or the whole match.")
    return pattern


class Step(BaseModel):
    """One step on the way from a claim to a name: exactly one of these.

    `last_path_segment: true`: what follows the last `/` (`https://orcid.org/0000-0001` → `0000-0001`).
    `strip_domain: example.edu`: the address without `@example.edu`; any other address stays as it is.
    `prefix: uni-`: put before the name. `match: "([a-z]+)@example[.]edu"`: the whole name must match the regular
    expression; the name is then what its group matches.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    last_path_segment: bool = False
    strip_domain: str = ""
    prefix: str = ""
    match: Annotated[str, AfterValidator(_compiles)] = ""

    @model_validator(mode="after")
    def _does_one_thing(self) -> Self:
        if len(self.model_dump(exclude_defaults=True)) != 1:
            raise ValueError("a step is exactly one of last_path_segment, strip_domain, prefix, match.")
        return self

    def applied(self, name: str) -> str:
        """The name after this step; raises RefusedName if there is none."""
        if self.last_path_segment:
            name = name.rstrip("/").rpartition("/")[2]
        if self.strip_domain and name.lower().endswith(f"@{self.strip_domain.lower()}"):
            name = name[: -len(self.strip_domain) - 1]
        if self.match:
            found = matched(self.match, name)
            if found is None:
                raise RefusedName("The name of your account does not have the form that this hub expects.")
            name = found[compiled(self.match).groups] or ""
        if not name:
            raise RefusedName("Nothing is left of the name of your account that could be a name on this hub.")
        return self.prefix + name


Steps = Annotated[tuple[Step, ...], Field(description="steps from a claim to a name, in order")]


def derived(name: str, steps: Iterable[Step]) -> str:
    """A name after all steps; raises RefusedName."""
    for step in steps:
        name = step.applied(name)
    # Hubs write names in lower case, in which the Kelvin sign is the letter k: somebody else's name would come of it.
    if name.lower().isascii() and not name.isascii():
        raise RefusedName("The name of your account has a letter that could be taken for another one.")
    return name


def pseudonym(pepper: bytes, provider: str, idp: str, subject: str) -> str:
    """The lasting name of a person that does not tell who it is: 24 letters and digits.

    Keyed BLAKE2b over provider, IdP and subject, which are kept apart, in base32. Raises ValueError without a pepper of
    16 to 64 bytes, or without a subject: everybody who lacks one would be the same person.
    """
    if not PEPPER_BYTES <= len(pepper) <= hashlib.blake2b.MAX_KEY_SIZE:
        raise ValueError(
            f"a pepper has {PEPPER_BYTES} to {hashlib.blake2b.MAX_KEY_SIZE} bytes, this has {len(pepper)}."
        )
    if not subject:
        raise ValueError("the provider did not say who this is.")
    said = json.dumps([provider, idp, subject]).encode()
    return base64.b32encode(hashlib.blake2b(said, key=pepper, digest_size=15).digest()).decode().lower()


def is_pseudonym(name: str) -> bool:
    """Whether a name has the form of those that `pseudonym` makes."""
    return bool(re.fullmatch(r"[a-z2-7]{24}", name))


def behind_kubernetes(name: str) -> str:
    """The name whose pods and volumes are called by this one, as `ada-40example-2eedu` is of `ada@example.edu`.

    "" if there is none, or if it cannot be told from a name that somebody has.
    """
    try:
        original = escapism.unescape(name, escape_char="-")
    except ValueError:
        return ""
    safe = string.ascii_lowercase + string.digits
    is_it = original != name and original == original.lower() and escapism.escape(original, safe, "-").lower() == name
    return original if is_it else ""


def look_of(name: str) -> str:
    """What a name is compared by: letter case and Unicode form do not make it another."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    # Dotless i and long s: people, file systems and databases take them for i and s.
    return folded.replace("\u0131", "i").replace("\u017f", "s")


class TakenNames:
    """The names that are in use on a hub, to find those that a new name could be taken for.

    `slug_of` is what abbreviates a name for the places that allow fewer letters (pods, folders): two people must not
    share one either.
    """

    def __init__(self, slug_of: Callable[[str], str] = str) -> None:
        self._slug_of = slug_of
        self._looks: dict[str, set[str]] = {}

    def add(self, name: str) -> None:
        """Remember a name that is in use."""
        for key in self._keys(name):
            self._looks.setdefault(key, set()).add(name)

    def discard(self, name: str) -> None:
        """Forget a name that is no longer in use."""
        for key in self._keys(name):
            self._looks.get(key, set()).discard(name)

    def twin_of(self, name: str) -> str | None:
        """Another name in use that this one could be taken for; None if there is none."""
        others = set().union(*(self._looks.get(key, set()) for key in self._keys(name))) - {name}
        return min(others, default=None)

    def _keys(self, name: str) -> set[str]:
        return {f"look:{look_of(name)}", f"slug:{self._slug_of(name)}"}


def refuse_unfit(name: str, reserved: Iterable[str], granted: Iterable[str]) -> None:
    """Raise RefusedName for a name that cannot be shown or that nobody may take from a provider.

    A reserved name is for whom the operator names: `granted`.
    """
    if len(name) > LONGEST or name != name.strip() or not name.strip("."):
        raise RefusedName("The name of your account cannot be one on this hub.")
    if any(unicodedata.category(letter) in _INVISIBLE for letter in name):
        raise RefusedName("The name of your account has letters that cannot be seen.")
    if look_of(name) in map(look_of, reserved) and name not in set(granted):
        raise RefusedName(
            "The name of your account is reserved on this hub. The people who run it can let you in by naming your "
            "account, or give you another name."
        )
