"""Sizes by name: written once in the settings, used by many profiles.

    sizes:
      standard: {node_type: n2-highmem-4, choices: 3, default: 1}   # shares of a node, to choose from
      small: {mem_limit: 2G, cpu_limit: 1}                          # one size

A profile or a choice takes one with `size: small`, an option takes several with `sizes: standard` or
`sizes: [small, standard]`. What is written beside them is laid over them: `kubespawner_override` over a size, `choices`
over those that an option has by its sizes, by key. `expand` puts the sizes in, after which profiles are KubeSpawner's
grammar again.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from slugify import slugify

from .mistakes import Mistake, did_you_mean, mistakes_in, path_of, shown
from .node_types import GIB, Capacity, left_for_people, node_types
from .overrides import merged
from .sizes import describe, memory_bytes

MOST_CHOICES = 8
_LEAST_MEMORY = GIB // 4  # bytes; no notebook server works in less
_MARGIN = 0.02  # of a node, so that a server of its size still fits when a system pod grows…
_MOST_MARGIN = Capacity(1, 2 * GIB)  # …but not more than this
_NODE_TYPE = "node.kubernetes.io/instance-type"  # Kubernetes' own label

Choices = dict[str, dict[str, Any]]

# Stands for what has a mistake, so that nothing is said of an option without choices, which would be no second mistake.
_MISTAKEN: Choices = {"mistaken": {"display_name": "mistaken", "kubespawner_override": {}}}


class NodeShares(BaseModel):
    """The whole of a node and its halves, quarters and so on: `choices` of them, of which `default` counts from 1, the
    smallest.

    `cpu` and `memory` are what pods of people can use of such a node, where that was measured; else it is computed.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    node_type: str
    """The cloud's name of the node's type, such as `n2-highmem-4`."""
    choices: int = Field(1, ge=1, le=MOST_CHOICES)
    """How many: the whole node, its half, a quarter and so on."""
    default: int | None = Field(None, ge=1)
    """Which is chosen where people choose nothing, counted from 1, the smallest."""
    cpu: float | None = Field(None, gt=0)
    """CPUs that people's pods can use of such a node, if it was measured."""
    memory: str | int | None = None
    """Memory that they can use, such as `27.5G`, if it was measured."""

    @field_validator("memory")
    @classmethod
    def _is_an_amount(cls, memory: str | int | None) -> str | int | None:
        memory_bytes(memory)
        return memory

    def capacity(self) -> Capacity:
        """What pods of people can use of the node; raises ValueError for a node type that nothing is known of."""
        memory = memory_bytes(self.memory)
        if self.cpu is not None and memory is not None:
            return Capacity(self.cpu, memory)
        if self.node_type not in node_types():
            known = did_you_mean(self.node_type, node_types()) or "See what it has with: kubectl describe node."
            raise ValueError(f"node type {shown(self.node_type)} is not known. {known} Or set its cpu and memory.")
        computed = left_for_people(node_types()[self.node_type])
        return Capacity(self.cpu or computed.cpu, memory or computed.memory)


def choices_of(shares: NodeShares) -> Choices:
    """The choices of an option, smallest first: memory guaranteed up to its limit, CPU guaranteed in proportion.

    Whoever has the node to themselves may use all of its CPUs. As many servers of a size fit a node as its name says.
    Raises ValueError for an unknown node type, for shares that are too small to be used, and for a default beyond them.
    """
    capacity = shares.capacity()
    memory = capacity.memory - min(capacity.memory * _MARGIN, _MOST_MARGIN.memory)
    cpu = capacity.cpu - min(capacity.cpu * _MARGIN, _MOST_MARGIN.cpu)
    if memory / 2 ** (shares.choices - 1) < _LEAST_MEMORY:
        raise ValueError(
            f"{shares.choices} choices of a {shares.node_type} have too little memory. Make fewer of them."
        )
    if shares.default and shares.default > shares.choices:
        raise ValueError(f"default is {shares.default}, but there are only {shares.choices} choices.")
    made = {}
    for number in range(1, shares.choices + 1):
        parts = 2 ** (shares.choices - number)
        name = f"{slugify(shares.node_type)}-{f'1-of-{parts}' if parts > 1 else 'whole'}"
        marked = {"default": True} if number == shares.default else {}
        made[name] = marked | _share(shares.node_type, int(memory / parts), cpu, parts)
    return made


def _share(node_type: str, memory: int, cpu: float, parts: int) -> dict[str, Any]:
    override = {
        "mem_guarantee": memory,
        "mem_limit": memory,
        "cpu_guarantee": _in_thousandths(cpu / parts),
        "cpu_limit": _in_thousandths(cpu),
        "node_selector": {_NODE_TYPE: node_type},
    }
    guaranteed = describe({"cpu_guarantee": override["cpu_guarantee"]}).removeprefix("at least ")
    description = "A node of your own" if parts == 1 else f"{guaranteed} for you, more while others leave them free"
    return {"display_name": describe(override), "description": description, "kubespawner_override": override}


def _in_thousandths(cpu: float) -> float:
    """CPUs rounded down to what Kubernetes counts in."""
    return int(1000 * cpu) / 1000


def expand(profiles: Any, sizes: Any, path: str = "profiles") -> tuple[Any, list[Mistake]]:
    """The profiles with their sizes put in, and what is wrong with the sizes and with where they are named.

    What is given is not changed; what has no sizes is given back as it is, whatever it is.
    """
    named, mistakes = _read(sizes)
    putting = _Putting(named)
    if isinstance(profiles, Mapping):
        profiles = {key: putting.profile(profile, f"{path}.{key}") for key, profile in profiles.items()}
    elif isinstance(profiles, list):
        profiles = [putting.profile(profile, f"{path}[{index}]") for index, profile in enumerate(profiles)]
    return profiles, mistakes + putting.mistakes


def _read(sizes: Any) -> tuple[dict[str, Choices], list[Mistake]]:
    """Each named size as choices, a single one as one choice under its own name."""
    if not isinstance(sizes, Mapping):
        return {}, [Mistake("sizes", f"expected a mapping of names to sizes, found {shown(sizes)}.")]
    named: dict[str, Choices] = {}
    mistakes: list[Mistake] = []
    for name, size in sizes.items():
        place = path_of(["sizes", str(name)])
        named[str(name)] = _MISTAKEN
        if not isinstance(size, Mapping):
            mistakes.append(Mistake(place, f"expected a mapping, found {shown(size)}."))
        elif "node_type" in size:
            try:
                named[str(name)] = choices_of(NodeShares.model_validate(size))
            except ValidationError as error:
                mistakes += [Mistake(f"{place}.{m.path}", m.what, m.advice) for m in mistakes_in(error, NodeShares)]
            except ValueError as error:
                mistakes.append(Mistake(place, str(error)))
        else:
            named[str(name)] = {str(name): _single(size)}
    return named, mistakes


def _single(size: Mapping[str, Any]) -> dict[str, Any]:
    texts = {key: size[key] for key in ("display_name", "description") if key in size}
    override = {key: value for key, value in size.items() if key not in texts}
    return {"display_name": describe(override), **texts, "kubespawner_override": override}


class _Putting:
    """Puts named sizes where profiles name them, and gathers what is wrong with the names."""

    def __init__(self, named: Mapping[str, Choices]):
        self.named = named
        self.mistakes: list[Mistake] = []

    def profile(self, profile: Any, place: str) -> Any:
        if not isinstance(profile, Mapping):
            return profile
        profile = self._sized(profile, place)
        options = profile.get("profile_options")
        if not isinstance(options, Mapping):
            return profile
        put = {
            name: self._option(option, f"{place}.{path_of(['profile_options', str(name)])}")
            for name, option in options.items()
        }
        return {**profile, "profile_options": put}

    def _option(self, option: Any, place: str) -> Any:
        if not isinstance(option, Mapping):
            return option
        written = option.get("choices")
        if isinstance(written, Mapping):
            written = {
                key: self._sized(choice, f"{place}.{path_of(['choices', str(key)])}") for key, choice in written.items()
            }
            option = {**option, "choices": written}
        if "sizes" not in option:
            return option
        rest = {key: value for key, value in option.items() if key != "sizes"}
        if written is not None and not isinstance(written, Mapping):
            return rest  # the grammar's own check says what is wrong
        made: Choices = {}
        for name in self._names(option["sizes"], f"{place}.sizes"):
            made |= self.named[name]
        return {**rest, "choices": merged(made or _MISTAKEN, written or {})}

    def _names(self, names: Any, place: str) -> Iterator[str]:
        for name in names if isinstance(names, list) else [names]:
            if isinstance(name, str) and name in self.named:
                yield name
            else:
                self.mistakes.append(
                    Mistake(place, f"there is no size {shown(name)}.", did_you_mean(str(name), self.named))
                )

    def _sized(self, part: Any, place: str) -> Any:
        """A profile or a choice with the size that it names laid under its override."""
        if not isinstance(part, Mapping) or "size" not in part:
            return part
        rest = {key: value for key, value in part.items() if key != "size"}
        for name in self._names(part["size"], f"{place}.size"):
            choices = self.named[name]
            if name not in choices:
                if choices is not _MISTAKEN:
                    advice = f"Name it in an option, as sizes: {name}."
                    self.mistakes.append(Mistake(f"{place}.size", f"{name!r} is several sizes to choose from.", advice))
                continue
            own = rest.get("kubespawner_override") or {}
            if isinstance(own, Mapping):
                rest["kubespawner_override"] = {**choices[name]["kubespawner_override"], **own}
        return rest
