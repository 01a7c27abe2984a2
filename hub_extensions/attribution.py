"""Labels and annotations that say whom a pod counts for, so that tools for cost and monitoring can add it up.

Labels are for selecting and summing: always valid, whatever the text (at most 63 characters of a small set), and
different for different texts. Annotations hold the texts themselves.
"""

import hashlib
import json
import re
from collections.abc import Iterable

from . import groups as group_names

PREFIX = "hub-extensions"  # a domain, in the grammar of Kubernetes; `hub-extensions/community` and so on
LONGEST_GROUPS = 2**15  # bytes; Kubernetes refuses a pod with more than 2**18 bytes of annotations
_VALID = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?", re.ASCII)


def labels(community: str, profile: str, groups: Iterable[str]) -> dict[str, str]:
    """`…/community`, `…/profile` and `…/groups`; what is empty has none."""
    values = {"community": community, "profile": profile, "groups": groups_hash(groups)}
    return {f"{PREFIX}/{name}": label_value(value) for name, value in values.items() if value}


def annotations(community: str, profile: str, groups: Iterable[str]) -> dict[str, str]:
    """The texts behind the labels; `…/groups` is a JSON list, left out where it would be too long for a pod."""
    names = json.dumps(sorted(groups), ensure_ascii=False)
    if len(names.encode()) > LONGEST_GROUPS or names == "[]":
        names = ""
    values = {"community": community, "profile": profile, "groups": names}
    return {f"{PREFIX}/{name}": value for name, value in values.items() if value}


def label_value(text: str) -> str:
    """A valid label value for any text: the text if it is one, else what is readable of it and a hash."""
    if _VALID.fullmatch(text) or not text:
        return text
    readable = re.sub(r"[^A-Za-z0-9]+", "-", text).strip("-")[:40].rstrip("-")
    return f"{readable or 'x'}---{hashlib.sha256(text.encode()).hexdigest()[:16]}"


def groups_hash(groups: Iterable[str]) -> str:
    """One value for one set of groups, the same in any order and letter case; "" for none."""
    keys = sorted(group_names.keys(groups))
    return hashlib.sha256(json.dumps(keys).encode()).hexdigest()[:16] if keys else ""
