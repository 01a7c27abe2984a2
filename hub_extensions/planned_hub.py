"""The hub that files describe, before any start: its configuration, and what is wrong or doubtful in it."""

import contextlib
import logging
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from traitlets.config import Config
from traitlets.config.loader import PyFileConfigLoader

from . import changes, in_use
from .additions import sections
from .findings import Finding, as_findings, error
from .mistakes import LONGEST_VALUE, SettingsError
from .settings import Settings
from .wiring import wire
from .z2jh import hub_config, merge_values
from .z2jh.basehub_values import KEYS
from .z2jh.custom import NESTED, OURS, translate
from .z2jh.hub_traits import process_of
from .z2jh.values import look_up, programs

_OUR_NAME = re.compile(r"\bhub_extensions\b")
_SENTENCE = re.compile(r"(?P<path>[\w.\-\[\]]+): (?P<what>.+)", re.DOTALL)


@dataclass(frozen=True)
class PlannedHub:
    """A hub that does not run.

    `config`: what it is configured with. `values`: the Helm values behind that, merged; None for a configuration file.
    `settings`: what `configure` was given, as it was understood; None where it is not called, or refused them.
    `findings`: what is wrong or doubtful so far. `lines`: what `configure` changed, for people.
    """

    config: Config
    values: Mapping[str, Any] | None = None
    settings: Settings | None = None
    findings: tuple[Finding, ...] = ()
    lines: tuple[str, ...] = ()


def from_values(layers: Sequence[Mapping[str, Any]], process: Mapping[str, str] | None = None) -> PlannedHub:
    """The hub of Zero to JupyterHub with these values, which merge as Helm merges them: the later layer wins.

    `configure(c)` is taken to be called where values have something for it. Other Python in `hub.extraConfig` is not
    executed. `process` is the environment of the hub's process; without, it is as the chart makes it.
    """
    values = merge_values(*layers)
    try:
        c = hub_config(values)
        process = process_of(values) if process is None else process
        return _wired(c, values, process) if _has_something_for_us(values) else _stock(c, values, process)
    except ValueError as refused:  # SettingsError is handled nearer to where it is raised
        return PlannedHub(Config(), values, findings=(_refusal(refused),))


def from_config_file(path: Path) -> PlannedHub:
    """The hub of a `jupyterhub_config.py`, which is executed as JupyterHub executes it.

    What it prints goes to the standard error. Whatever ends it becomes a finding; what it had set until then is there.
    """
    file = Path(path).absolute()
    loader = PyFileConfigLoader(file.name, path=str(file.parent))
    findings: list[Finding] = []
    with _quiet_log(), contextlib.redirect_stdout(sys.stderr):
        try:
            loader.load_config()
        except SystemExit as end:
            findings += _ending(end, file)
        except Exception as failure:  # somebody's program may raise anything
            findings.append(_failure(failure, file))
    c = loader.config
    findings += _no_lists(c)
    record = c.get(changes.RECORD, {})
    settings = record.get("settings")
    if not findings:
        findings = [*_found_in(c, settings or Settings()), *changes.lost(c)]
    made = record.get("changes", {}).values()
    return PlannedHub(c, None, settings, tuple(findings), tuple(changes.lines(made)))


def _has_something_for_us(values: Mapping[str, Any]) -> bool:
    custom = look_up(values, "custom", {})
    named = {*OURS, *KEYS, NESTED}
    asks = bool(named & custom.keys()) if isinstance(custom, Mapping) else True
    return asks or bool(look_up(values, "singleuser.profileList")) or _calls_us(values)


def _calls_us(values: Mapping[str, Any]) -> bool:
    return any(map(_OUR_NAME.search, programs(values).values()))


def _wired(c: Config, values: Mapping[str, Any], process: Mapping[str, str]) -> PlannedHub:
    try:
        wired = wire(c, values, process=process)
    except SettingsError as refused:
        return PlannedHub(c, values, findings=tuple(_in(refused)))
    settings = c[changes.RECORD].settings
    return PlannedHub(c, values, settings, tuple(wired.doubts), tuple(wired.lines))


def _stock(c: Config, values: Mapping[str, Any], process: Mapping[str, str]) -> PlannedHub:
    place = translate(values, sections(c), process).placed
    return PlannedHub(c, values, findings=tuple(map(place, _found_in(c, Settings()))))


def _found_in(c: Config, settings: Settings) -> list[Finding]:
    """What is wrong or doubtful in a configuration with these settings, which does not keep the hub from starting."""
    try:
        return list(in_use.check(c, settings).doubts)
    except SettingsError as refused:
        why = "The hub starts, and does not do what is written."
        return [each if each.severity == "warning" or each.why else replace(each, why=why) for each in _in(refused)]


def _in(refused: SettingsError) -> Iterator[Finding]:
    """Everything that a refusal tells."""
    yield from as_findings(refused.mistakes)
    yield from (each for each in refused.doubts if isinstance(each, Finding))


def _refusal(refused: ValueError) -> Finding:
    """A sentence that begins with the path of what is wrong."""
    found = _SENTENCE.fullmatch(str(refused))
    return error(found["path"], found["what"]) if found else error("the chart's values", str(refused))


def _ending(end: SystemExit, file: Path) -> list[Finding]:
    """What a file found that ended its process: `configure` does so with a list of mistakes."""
    if isinstance(end.__cause__, SettingsError):
        refused = end.__cause__
        source = "" if refused.source == "settings" else f"{refused.source}: "
        return [replace(each, path=f"{source}{each.path}") for each in _in(refused)]
    return [error(str(file), f"ends the hub's process: {str(end.code)[:LONGEST_VALUE]!r}.", "Let it run to its end.")]


def _no_lists(c: Config) -> Iterator[Finding]:
    """Lists of the hub whose entries are no mappings; they are taken out, as nothing can read them."""
    for trait in ("services", "load_roles"):
        there = sections(c).get("JupyterHub", {}).get(trait, [])
        each = there.values() if isinstance(there, Mapping) else there if isinstance(there, list) else [None]
        is_null = trait in c.JupyterHub and c.JupyterHub[trait] is None
        if is_null or not all(isinstance(entry, Mapping) for entry in each):
            del c.JupyterHub[trait]
            yield error(f"c.JupyterHub.{trait}", "expected a list of mappings.", "Correct it.")


def _failure(failure: Exception, file: Path) -> Finding:
    line = _line_in(failure, file)
    place = f"{file}, line {line}" if line else str(file)
    message = str(failure.msg if isinstance(failure, SyntaxError) else failure)[: 4 * LONGEST_VALUE]
    return error(place, f"stops with {type(failure).__name__}: {message}.", "JupyterHub would not start.")


def _line_in(failure: Exception, file: Path) -> int | None:
    """The line of the file in which its program was when it failed."""
    if isinstance(failure, SyntaxError):
        return failure.lineno
    line, trace = None, failure.__traceback__
    while trace:
        if trace.tb_frame.f_code.co_filename == str(file):
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


@contextlib.contextmanager
def _quiet_log() -> Iterator[None]:
    """Leave out what `configure` logs where no hub runs: it is among the findings."""
    log, nowhere = logging.getLogger("hub_extensions"), logging.NullHandler()
    log.addHandler(nowhere)
    try:
        yield
    finally:
        log.removeHandler(nowhere)
