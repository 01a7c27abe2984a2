"""The grammar of what 2i2c's basehub chart writes under `custom:`; null anywhere is nothing."""

import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from ..findings import Finding, error, warning
from ..mistakes import did_you_mean, mistakes_in
from ..mounts import AdminExtras, UserVolume

# Keys that came and went with the chart, and have nothing to do any more.
FORMER = ("cloudResources", "docs_service", "jupyterhubConfigurator")
STAFF_TEAM = "2i2c-org:hub-access-for-2i2c-staff"
_IDS = re.compile(r"staff_(\w+)_ids")


class _Part(BaseModel):
    # A newer chart may have more keys, which its own snippets read; `doubts` tells them.
    model_config = ConfigDict(frozen=True, extra="allow", str_strip_whitespace=True)

    @model_validator(mode="before")
    @classmethod
    def _null_is_absent(cls, values: Any) -> Any:
        return (
            {key: value for key, value in values.items() if value is not None} if isinstance(values, dict) else values
        )


def _values_if_mapping(value: Any) -> Any:
    return [value[key] for key in sorted(value)] if isinstance(value, dict) else value


Volumes = Annotated[tuple[UserVolume, ...], BeforeValidator(_values_if_mapping)]


class Switch(_Part):
    """A feature that is on or off."""

    enabled: bool = False


class Party(_Part):
    """Somebody whom the login page names; `custom_html` is HTML in the place of name and link."""

    name: str = ""
    url: str = ""
    logo_url: str = ""
    custom_html: str = ""


class TemplateVars(_Part):
    """What the login page shows. `announcements` and `learn_more` may be HTML."""

    enabled: bool = True
    org: Party = Party()
    designed_by: Party = Party()
    operated_by: Party = Party()
    funded_by: Party = Party()
    announcements: tuple[str, ...] = ()
    learn_more: str = ""
    redirect_to: str = ""
    default_url: str = ""
    interface_selector: bool = False


class Homepage(_Part):
    """The login page, and the git repository that its templates came from."""

    git_repo_url: str = Field(default="", alias="gitRepoUrl")
    git_repo_branch: str = Field(default="", alias="gitRepoBranch")
    template_vars: TemplateVars = Field(default=TemplateVars(), alias="templateVars")


class StaffIds(_Part):
    """Staff who administer every hub: lists `staff_KIND_ids`, of which one is added to the admins.

    `staff_github_team` is the team that is admitted to hubs with GitHub logins; "" is none.
    """

    add_staff_user_ids_to_admin_users: bool = False
    add_staff_user_ids_of_type: str = ""
    staff_github_ids: tuple[str, ...] = ()
    staff_google_ids: tuple[str, ...] = ()
    staff_github_team: str = STAFF_TEAM

    @property
    def ids(self) -> dict[str, tuple[str, ...]]:
        """The lists by kind."""
        lists = {**self.model_dump(include={"staff_github_ids", "staff_google_ids"}), **(self.model_extra or {})}
        named = ((_IDS.fullmatch(name), names) for name, names in lists.items())
        return {
            found[1]: tuple(map(str, names)) for found, names in named if found and isinstance(names, (list, tuple))
        }


class Auth(_Part):
    """`anonymizeUsername`: names that do not tell who somebody is."""

    anonymize_username: bool = Field(default=False, alias="anonymizeUsername")


class Singleuser(_Part):
    """`extraPVCs`: volumes of a person's own."""

    extra_pvcs: Volumes = Field(default=(), alias="extraPVCs")


class BasehubValues(BaseModel):
    """What basehub reads under `custom:`; other keys there are not its own."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    staff: StaffIds | None = Field(default=None, alias="2i2c")
    auth: Auth = Auth()
    singleuser: Singleuser = Singleuser()
    singleuser_admin: AdminExtras = Field(default=AdminExtras(), alias="singleuserAdmin")
    homepage: Homepage = Homepage()
    daskhub_setup: Switch = Field(default=Switch(), alias="daskhubSetup")
    binderhub_ui: Switch = Field(default=Switch(), alias="binderhubUI")

    @property
    def is_basehub(self) -> bool:
        """Whether these are values of basehub, which always names its staff, and not just a few of its keys."""
        return self.staff is not None


KEYS = (*(field.alias or name for name, field in BasehubValues.model_fields.items()), *FORMER)


def read_basehub(custom: Mapping[str, Any]) -> tuple[BasehubValues, list[Finding]]:
    """What basehub's keys say, and what is wrong or doubtful in them; with a mistake, as if they said nothing."""
    present = {key: custom[key] for key in KEYS if custom.get(key) is not None}
    try:
        values = BasehubValues.model_validate(present)
    except ValidationError as mistaken:
        found = mistakes_in(mistaken, BasehubValues)
        return BasehubValues(), [error(f"custom.{each.path}", each.what, each.advice) for each in found]
    return values, [*_former(present), *_unknown(values, "custom")]


def _former(present: Mapping[str, Any]) -> list[Finding]:
    what = "belongs to a part that basehub does not have any more; nothing reads it."
    return [
        warning(f"custom.{key}", what, "Remove it.")
        for key in FORMER
        if isinstance(present.get(key), Mapping) and present[key].get("enabled")
    ]


def _unknown(part: BaseModel, path: str) -> list[Finding]:
    """Keys inside basehub's own that nothing here reads."""
    fields = {field.alias or name: name for name, field in type(part).model_fields.items()}
    found = [
        warning(f"{path}.{key}", "unknown key; nothing here reads it.", did_you_mean(key, fields))
        for key in part.model_extra or ()
        if not _IDS.fullmatch(key)
    ]
    for alias, name in fields.items():
        inner = getattr(part, name)
        found += _unknown(inner, f"{path}.{alias}") if isinstance(inner, _Part) else []
    return found
