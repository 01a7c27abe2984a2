"""GitHub: its OAuth apps, and the part of its REST API that tells who someone is and what they belong to.

After https://docs.github.com/en/rest (version 2022-11-28) and "Authorizing OAuth apps". Not documented, so assumed: the
list of memberships leaves restricted organisations out as the other lists do, and 404 is what `/user/teams` says
without a scope. Not here: child teams, GraphQL. OAuthenticator finds it by `github_url` and `github_api`.
"""

from __future__ import annotations

import math
import time
from collections import Counter
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from aiohttp import web

from .provider import CLIENT_ID, CLIENT_SECRET, Authorization, Grant, OAuthError, Provider
from .server import Failure, RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterable

DOCUMENTATION = "https://docs.github.com/rest"
RESTRICTED = (
    "Although you appear to have the correct authorization credentials, the `{}` organization has enabled OAuth App "
    "access restrictions, meaning that data access to third-parties is limited. For more information on these "
    "restrictions, including how to enable this app, visit "
    "https://docs.github.com/articles/restricting-access-to-your-organization-s-data/"
)
SSO = (
    "Resource protected by organization SAML enforcement. You must grant your OAuth token access to this organization."
)
_ids = count(1001)


@dataclass
class Person:
    """An account; `email` is what the profile shows to all, `emails` are the addresses, the first one primary."""

    login: str
    email: str | None = None
    emails: tuple[str, ...] = ()
    verified: bool = True
    id: int = field(default_factory=lambda: next(_ids))


@dataclass
class Organization:
    """An organisation: its members by login, who of them shows it to all, who is invited only, and teams by slug.

    `restricted`: its owners have not approved the hub's OAuth app. `single_sign_on`: it has not authorised the token.
    """

    login: str
    members: set[str] = field(default_factory=set)
    public: set[str] = field(default_factory=set)
    invited: set[str] = field(default_factory=set)
    owners: set[str] = field(default_factory=set)
    teams: dict[str, set[str]] = field(default_factory=dict)
    restricted: bool = False
    single_sign_on: bool = False
    id: int = field(default_factory=lambda: next(_ids))

    def __post_init__(self) -> None:
        self.members |= self.public | self.owners | set().union(*self.teams.values())


def rate_limit(seconds: int = 1800) -> Failure:
    """The hour's calls are used up; they begin anew in so many seconds."""
    reset = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(time.time()) + seconds)}
    message = "API rate limit exceeded for user ID 1001."
    return Failure("/*", 403, {"message": message, "documentation_url": DOCUMENTATION}, reset)


def secondary_rate_limit(seconds: int = 60, status: int = 403) -> Failure:
    """Too many calls at once; GitHub says so by 403 or 429."""
    message = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
    return Failure(
        "/*", status, {"message": message, "documentation_url": DOCUMENTATION}, {"Retry-After": str(seconds)}
    )


def outage(status: int = 502) -> Failure:
    """Everything is down, and answers with a page for people."""
    return Failure("*", status, "<!DOCTYPE html><title>Unicorn! &middot; GitHub</title>")


class GitHub(Provider):
    """github.com and api.github.com at one address; what a test changes in `organizations` holds for the next call.

    Tokens of an OAuth app do not expire. With `expiring_tokens` it is a GitHub App's: 8 hours, and refresh tokens that
    are good for one use.
    """

    authorize_path = "/login/oauth/authorize"
    token_path = "/login/oauth/access_token"
    section = "GitHubOAuthenticator"
    renews_refresh_tokens = True

    def __init__(
        self,
        people: Iterable[Person] = (),
        organizations: Iterable[Organization] = (),
        *,
        expiring_tokens: bool = False,
        hourly_limit: int = 5000,
    ) -> None:
        super().__init__()
        self.people = {person.login: person for person in people}
        self.organizations = {organization.login: organization for organization in organizations}
        self.expiring_tokens = expiring_tokens
        self.token_lifetime = 8 * 3600 if expiring_tokens else math.inf
        self.hourly_limit = hourly_limit
        self._used: Counter[str] = Counter()

    @property
    def traits(self) -> dict[str, Any]:
        return {
            "github_url": self.url,
            "github_api": self.url,
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "scope": ["read:org", "user:email"],
        }

    def names(self) -> list[str]:
        return list(self.people)

    def asks_again(self, prompt: list[str]) -> bool:
        return prompt == ["select_account"]

    def endpoints(self) -> list[web.RouteDef]:
        answers = {
            "/user": self._user,
            "/user/emails": self._emails,
            "/user/orgs": self._orgs,
            "/user/teams": self._teams,
            "/user/memberships/orgs": self._memberships,
            "/user/memberships/orgs/{org}": self._membership,
            "/orgs/{org}/members/{login}": self._member,
            "/orgs/{org}/public_members/{login}": self._public_member,
            "/orgs/{org}/teams/{team}/members/{login}": self._team_member,
            "/orgs/{org}/teams/{team}/memberships/{login}": self._team_membership,
        }
        return [web.get(path, self._counted(answer)) for path, answer in answers.items()]

    # How GitHub answers.

    def offline(self, login: Authorization) -> bool:
        return self.expiring_tokens

    def unauthorized(self) -> RefusedError:
        return _refused(401, "Bad credentials")

    def token_error(self, error: OAuthError) -> web.Response:
        """GitHub answers 200, in its own words (only the refused grant depends on what was tried)."""
        words = {"invalid_client": "incorrect_client_credentials", "invalid_grant": "bad_verification_code"}
        name = words.get(error.error, error.error)
        if name == "bad_verification_code" and "refresh token" in error.description:
            name = "bad_refresh_token"
        uri = f"{DOCUMENTATION}/troubleshooting-oauth-app-access-token-request-errors"
        return web.json_response({"error": name, "error_description": error.description, "error_uri": uri})

    def token_answer(self, grant: Grant, *, refreshed: bool) -> dict[str, Any]:
        answer = super().token_answer(grant, refreshed=refreshed)
        scope = "" if self.expiring_tokens else ",".join(grant.scopes)
        return {**answer, "token_type": "bearer", "scope": scope}

    def _counted(self, answer: Any) -> Any:
        """Answer with the headers that GitHub adds, and count the calls of the hour."""

        async def handler(request: web.Request) -> web.Response:
            if "User-Agent" not in request.headers:
                raise _refused(403, "Request forbidden by administrative rules.")
            grant = self.grant_of(request)
            self._used[grant.person] += 1
            left = self.hourly_limit - self._used[grant.person]
            if left < 0:
                limited = rate_limit()
                raise RefusedError(limited.status, limited.body, limited.headers)
            response: web.Response = answer(request, grant)
            response.headers["X-RateLimit-Limit"] = str(self.hourly_limit)
            response.headers["X-RateLimit-Remaining"] = str(left)
            response.headers["X-OAuth-Scopes"] = ", ".join(grant.scopes)
            return response

        return handler

    def _user(self, request: web.Request, grant: Grant) -> web.Response:
        person = self.people[grant.person]
        return web.json_response({**_account(person.login, person.id), "name": None, "email": person.email})

    def _emails(self, request: web.Request, grant: Grant) -> web.Response:
        if not {"user", "user:email"} & set(grant.scopes):
            raise _refused(404, "Not Found")
        person = self.people[grant.person]
        emails = [
            {"email": email, "primary": n == 0, "verified": person.verified, "visibility": None if n else "private"}
            for n, email in enumerate(person.emails)
        ]
        return self._page(request, emails)

    def _orgs(self, request: web.Request, grant: Grant) -> web.Response:
        _need(grant, {"user", "read:org"}, 403)
        orgs = [_account(org.login, org.id, "Organization") for org in self._visible(grant)]
        return self._page(request, orgs, self._hidden(grant))

    def _teams(self, request: web.Request, grant: Grant) -> web.Response:
        _need(grant, {"user", "repo", "read:org"}, 404)
        teams = [
            {"name": slug, "slug": slug, "parent": None, "organization": _account(org.login, org.id, "Organization")}
            for org in self._visible(grant)
            for slug, members in org.teams.items()
            if _listed(grant.person, members)
        ]
        return self._page(request, teams, self._hidden(grant))

    def _memberships(self, request: web.Request, grant: Grant) -> web.Response:
        _need(grant, {"read:org"}, 403)
        wanted = request.query.get("state")
        states = [self._state(org, grant.person) for org in self._visible(grant, invited=True)]
        states = [state for state in states if wanted in {None, state["state"]}]
        return self._page(request, states, self._hidden(grant))

    def _membership(self, request: web.Request, grant: Grant) -> web.Response:
        _need(grant, {"read:org"}, 403)
        org = self._organization(request)
        if not _listed(grant.person, org.members | org.invited):
            raise _refused(404, "Not Found")
        return web.json_response(self._state(org, grant.person))

    def _member(self, request: web.Request, grant: Grant) -> web.Response:
        org = self._organization(request)
        if not _listed(grant.person, org.members) or "read:org" not in grant.scopes:
            public = f"{self.url}/orgs/{org.login}/public_members/{request.match_info['login']}"
            return web.Response(status=302, headers={"Location": public})
        return _yes_or_no(request, org.members, "User does not exist or is not a member of the organization")

    def _public_member(self, request: web.Request, grant: Grant) -> web.Response:
        return _yes_or_no(request, self._organization(request).public, "Not Found")

    def _team_member(self, request: web.Request, grant: Grant) -> web.Response:
        return _yes_or_no(request, self._team(request, grant), "Not Found")

    def _team_membership(self, request: web.Request, grant: Grant) -> web.Response:
        if not _listed(request.match_info["login"], self._team(request, grant)):
            raise _refused(404, "Not Found")
        return web.json_response({"url": str(request.url), "role": "member", "state": "active"})

    # What it knows.

    def _visible(self, grant: Grant, *, invited: bool = False) -> list[Organization]:
        """The person's organisations, less those that keep the hub's app out: lists leave them out without a word."""
        return [
            org
            for org in self.organizations.values()
            if _listed(grant.person, org.members | (org.invited if invited else set()))
            and not (org.restricted or org.single_sign_on)
        ]

    def _hidden(self, grant: Grant) -> dict[str, str]:
        """The header by which a list says what single sign-on left out; of restricted organisations it says nothing."""
        hidden = [
            org for org in self.organizations.values() if org.single_sign_on and _listed(grant.person, org.members)
        ]
        ids = ",".join(str(org.id) for org in hidden)
        return {"X-GitHub-SSO": f"partial-results; organizations={ids}"} if hidden else {}

    def _organization(self, request: web.Request) -> Organization:
        for org in self.organizations.values():
            if _listed(request.match_info["org"], {org.login}):
                break
        else:
            raise _refused(404, "Not Found")
        if org.restricted:
            raise _refused(403, RESTRICTED.format(org.login))
        if org.single_sign_on:
            required = f"required; url=https://github.com/orgs/{org.login}/sso?authorization_request=A1b2"
            raise RefusedError(403, {"message": SSO, "documentation_url": DOCUMENTATION}, {"X-GitHub-SSO": required})
        return org

    def _team(self, request: web.Request, grant: Grant) -> set[str]:
        """The members of a team, which only members of its organisation can see."""
        org = self._organization(request)
        _need(grant, {"read:org"}, 404)
        if not _listed(grant.person, org.members) or request.match_info["team"] not in org.teams:
            raise _refused(404, "Not Found")
        return org.teams[request.match_info["team"]]

    def _state(self, org: Organization, login: str) -> dict[str, Any]:
        return {
            "state": "active" if _listed(login, org.members) else "pending",
            "role": "admin" if _listed(login, org.owners) else "member",
            "organization": _account(org.login, org.id, "Organization"),
            "user": _account(login, self.people[login].id),
        }

    def _page(self, request: web.Request, items: list[Any], headers: dict[str, str] | None = None) -> web.Response:
        """The page of the list that was asked for, with links to the other ones."""
        size = max(1, min(int(request.query.get("per_page", 30)), 100))
        page = max(1, int(request.query.get("page", 1)))
        last = max(1, -(-len(items) // size))
        others = {"prev": page - 1, "next": page + 1, "last": last, "first": 1}
        links = [
            f'<{self.url}{request.path}?{urlencode({**request.query, "page": number})}>; rel="{name}"'
            for name, number in others.items()
            if 1 <= number <= last and (page < last if name in {"next", "last"} else page > 1)
        ]
        link = {"Link": ", ".join(links)} if links else {}
        return web.json_response(items[(page - 1) * size : page * size], headers={**link, **(headers or {})})


def _account(login: str, number: int, kind: str = "User") -> dict[str, Any]:
    return {"login": login, "id": number, "type": kind, "html_url": f"https://github.com/{login}"}


def _listed(name: str, names: set[str]) -> bool:
    """GitHub's names are one whatever their case."""
    return name.lower() in {each.lower() for each in names}


def _need(grant: Grant, scopes: set[str], status: int) -> None:
    if not scopes & set(grant.scopes):
        message = f"You need at least {' or '.join(sorted(scopes))} scope" if status == 403 else "Not Found"
        raise _refused(status, message)


def _yes_or_no(request: web.Request, names: set[str], otherwise: str) -> web.Response:
    if not _listed(request.match_info["login"], names):
        raise _refused(404, otherwise)
    return web.Response(status=204)


def _refused(status: int, message: str) -> RefusedError:
    return RefusedError(status, {"message": message, "documentation_url": DOCUMENTATION, "status": str(status)})
