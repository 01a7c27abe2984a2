"""Community-scoped login through GitHub."""

from collections.abc import Mapping
from typing import Any

from oauthenticator.github import GitHubOAuthenticator
from tornado.httpclient import HTTPClientError
from traitlets import Callable, Set, Unicode, Union, default

from hub_extensions import groups, identities
from hub_extensions.communities import Decision, Policy
from hub_extensions.identities import Identity

from .oauth import CommunityOAuthenticator

_MOST_ASKED = 5  # organisations that a refused person is told more of; each costs one question


class MembershipsAtOnce(GitHubOAuthenticator):
    """GitHubOAuthenticator that asks once for all memberships of a person, not once for each that is allowed."""

    async def update_auth_model(self, auth_model: Any) -> Any:
        """Put the person's organisations and teams, as GitHub names them, into `auth_state`."""
        auth_model = await super().update_auth_model(auth_model)
        if not self.sees_memberships:
            return auth_model
        auth_state = auth_model["auth_state"]
        auth_state["organizations"] = [each["login"] for each in await self._all("orgs", auth_state)]
        if "teams" not in auth_state:
            teams = await self._all("teams", auth_state)
            auth_state["teams"] = [{"slug": each["slug"], "organization": each["organization"]} for each in teams]
        return auth_model

    async def check_allowed(self, username: str, auth_model: Any) -> bool:
        """Whether the class admits the person, without another question to GitHub."""
        if not self.sees_memberships:
            return bool(await super().check_allowed(username, auth_model))
        if await super(GitHubOAuthenticator, self).check_allowed(username, auth_model):
            return True
        return bool(belongs(auth_model["auth_state"]) & groups.keys(self.allowed_organizations))

    @property
    def sees_memberships(self) -> bool:
        """Whether people are asked to show what they belong to; otherwise only public memberships can be asked for."""
        return bool({"read:org", "write:org", "admin:org", "user"} & set(self.scope))

    async def _all(self, what: str, auth_state: Mapping[str, Any]) -> list[dict[str, Any]]:
        token = auth_state["token_response"]
        url = f"{self.github_api}/user/{what}?per_page=100"
        return list(await self._paginated_fetch(url, token["access_token"], token["token_type"]))


class CommunityGitHubAuthenticator(CommunityOAuthenticator, MembershipsAtOnce):
    """GitHubOAuthenticator that admits communities. The entry point is `community-github`.

    Everything set for `c.GitHubOAuthenticator` holds here too. A login costs two questions about memberships, however
    many organisations and teams are listed, which needs `read:org` in `scope`: it is there by default. The teams of all
    organisations that a rule, `allowed_organizations`, `group_organizations` or a profile names become groups
    `org:team-slug`.
    """

    provider = Unicode("github")

    group_organizations = Set(
        Unicode(),
        config=True,
        help="Organisations whose teams become groups although neither a rule nor a profile names them.",
    )

    profile_groups = Union(
        [Set(Unicode()), Callable()],
        config=True,
        help="""
        The groups that profiles are for, or a function that returns those of the moment: of `org:team` the teams of the
        organisation become groups.

        `configure` sets it, from the profiles that it knows and from each new version of a file that it follows. With
        several providers on one hub it has to be set among the `config` of the one that is GitHub: a group of a profile
        may be another provider's.
        """,
    )

    knows_groups = True  # those of the teams

    @default("scope")
    def _scope_default(self) -> list[str]:
        return ["read:org"]

    @default("provider_logout_url")
    def _provider_logout_url_default(self) -> str:
        return f"{self.github_url}/logout"

    @default("another_account_prompt")
    def _another_account_prompt_default(self) -> str:
        return "select_account"

    @property
    def policy(self) -> Policy:
        """Everything of the settings that decides who may log in."""
        allowed = {str(entry).partition(":")[0] for entry in self.allowed_organizations}
        named = self.profile_groups() if callable(self.profile_groups) else self.profile_groups
        of_profiles = {group.partition(":")[0] for group in named if ":" in group}
        return super().policy.with_teams_of(allowed | self.group_organizations | of_profiles)

    def subject_of(self, claims: Mapping[str, Any]) -> str:
        """GitHub's number for the account: a login can be given up and taken by someone else."""
        return identities.text_of(claims.get("id"))

    async def identity_of(self, user_name: str, auth_state: Any) -> Identity:
        """What GitHub said of the person."""
        identity = await super().identity_of(user_name, auth_state)
        return identity.on_github((auth_state or {}).get("organizations", ()), teams_of(auth_state))

    async def further_reasons(self, identity: Identity, decision: Decision, auth_state: Any) -> list[str]:
        """Which of the organisations that would admit the person hide their members from this hub's application."""
        rules = [rule for community in self.policy.communities.values() for rule in community.rules]
        named = {entry.partition(":")[0] for entry in self.allowed_organizations}.union(
            *(r.organizations for r in rules)
        )
        known = groups.keys(identity.organizations)
        wanted = sorted(each for each in named if groups.key(each) not in known)
        found = [await self._what_hides(organization, auth_state) for organization in wanted[:_MOST_ASKED]]
        return list(filter(None, found))

    async def _what_hides(self, organization: str, auth_state: Mapping[str, Any]) -> str:
        token = auth_state["token_response"]
        try:
            answer = await self.httpfetch(
                f"{self.github_api}/user/memberships/orgs/{organization}",
                parse_json=False,
                raise_error=False,
                headers=self.build_userdata_request_headers(token["access_token"], token["token_type"]),
                validate_cert=self.validate_server_cert,
            )
        except HTTPClientError:
            return ""
        said = (answer.body or b"").decode("utf8", "replace")
        if "OAuth App access restrictions" in said:
            page = f"{self.github_url}/settings/connections/applications/{self.client_id}"
            return (
                f"{organization} has not approved this hub's application on GitHub, so the hub cannot see whether you "
                f"are a member. Ask an owner of {organization} to approve it: {page}"
            )
        if "SAML enforcement" in said:
            page = f"{self.github_url}/orgs/{organization}/sso"
            return f"{organization} asks you to log in to it at GitHub first: {page}"
        return ""


def teams_of(auth_state: Any) -> list[str]:
    """The person's teams as `org:team-slug`."""
    teams = (auth_state or {}).get("teams") or ()
    return [f"{team['organization']['login']}:{team['slug']}" for team in teams]


def belongs(auth_state: Any) -> frozenset[str]:
    """The comparable forms of a person's organisations and teams."""
    return groups.keys([*auth_state.get("organizations", ()), *teams_of(auth_state)])
