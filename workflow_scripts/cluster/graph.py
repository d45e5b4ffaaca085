"""The jobs that a configuration stands for, and what each of them needs of others, read off the workflow's own rules.

Snakemake builds such a graph as well, and decides with it what is stale; but it looks at every file of every job many
times over, which for hundreds of models in a hundred languages takes minutes.  Here rules, patterns of files and input
functions are the workflow's, loaded by Snakemake, and a file that has been seen is looked up: seconds.  What is stale
only Snakemake knows (`cluster.status`).  A test holds both graphs to one another.

Beside the rules, this is the only module that imports Snakemake.
"""

import contextlib
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from snakemake.api import SnakemakeApi
from snakemake.exceptions import WorkflowError
from snakemake.io import WILDCARD_REGEX, _IOFile
from snakemake.iocontainers import Wildcards
from snakemake.output_index import OutputIndex
from snakemake.settings.types import (
    ConfigSettings,
    DAGSettings,
    ExecutionSettings,
    OutputSettings,
    Quietness,
    ResourceSettings,
)

from workflow_scripts.cli import InputError
from workflow_scripts.config import Config

ROOT = Path(__file__).parents[2]
ASKED = ("mem_mb", "runtime", "gpu")  # resources that are told


@dataclass(frozen=True, slots=True, eq=False)
class Job:
    """One run of one rule: its files, the jobs that must come before it, what it asks for.

    `resources` are those of ASKED that its rule names, of the first attempt; `threads` its processors.
    """

    rule: str
    wildcards: dict[str, str]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    log: str | None
    costs: str | None
    threads: int
    resources: dict[str, int]
    local: bool
    group: str | None
    needs: dict["Job", None] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The rule with its wildcards, as people read it: `tune mbert-aug seed 0`."""
        values = (f"seed {value}" if name == "seed" else value for name, value in self.wildcards.items())
        return " ".join([self.rule, *values])

    def there(self, files: Callable[[str], bool]) -> bool:
        """Whether all outputs are there."""
        return all(files(file) for file in self.outputs)


@dataclass(frozen=True, slots=True)
class Pattern:
    """A file's name with its wildcards, to be filled in."""

    text: str

    def fill(self, wildcards: Mapping[str, str]) -> str:
        """The name of a job's file."""
        return self.text.format_map(wildcards) if "{" in self.text else self.text


class Rules:
    """What a graph needs to know of one of Snakemake's rules, patterns prepared once."""

    def __init__(self, rule: Any, local: bool) -> None:
        self.rule, self.local = rule, local
        self.outputs = [_pattern(file) for file in rule.output]
        self.log = _pattern(rule.log[0]) if len(rule.log) else None
        self.costs = _pattern(rule.benchmark) if rule.benchmark else None
        self.inputs: list[Pattern | Callable[[Any], Any]] = [
            _function(item, rule) if _is_function(item) else _pattern(item) for item in rule.input
        ]

    def job(self, wildcards: dict[str, str]) -> Job:
        """The job of a rule for these wildcards, without what it needs."""
        asked = Wildcards(fromdict=wildcards)
        inputs: list[str] = []
        for item in self.inputs:
            if isinstance(item, Pattern):
                inputs.append(item.fill(wildcards))
                continue
            found = item(asked)
            inputs += [str(found)] if isinstance(found, str | Path) else map(str, found)
        resources = {
            name: value for name in ASKED if (value := self._resource(name, asked, inputs)) is not None
        }
        return Job(
            rule=self.rule.name,
            wildcards=wildcards,
            inputs=tuple(dict.fromkeys(inputs)),
            outputs=tuple(file.fill(wildcards) for file in self.outputs),
            log=self.log.fill(wildcards) if self.log else None,
            costs=self.costs.fill(wildcards) if self.costs else None,
            threads=self._resource("_cores", asked, inputs) or 1,
            resources=resources,
            local=self.local,
            # `rule.group` is none where jobs are not submitted
            group=self.rule._group if isinstance(self.rule._group, str) else None,
        )

    def _resource(self, name: str, wildcards: Any, inputs: Sequence[str]) -> int | None:
        """What the first attempt asks for; None where the rule says nothing, or nothing that is a number."""
        entry = self.rule.resources.get(name)
        if entry is None:
            return None
        if not entry.is_evaluable():
            value = entry.value
        else:
            found, _ = self.rule.apply_input_function(
                entry.evaluate,
                wildcards,
                input=inputs,
                attempt=1,
                threads=1,
                rulename=self.rule.name,
                raw_exceptions=True,
            )
            value = found.value
        return int(value) if isinstance(value, int | float) else None


def _pattern(file: Any) -> Pattern:
    """A pattern without the constraints of its wildcards, `{model,…}`."""
    return Pattern(WILDCARD_REGEX.sub(lambda match: f"{{{match['name']}}}", str(file)))


def _is_function(item: Any) -> bool:
    return callable(item) or (isinstance(item, _IOFile) and item.is_callable())


def _function(item: Any, rule: Any) -> Callable[[Any], Any]:
    if callable(item) and item.__code__.co_argcount == 1:
        return item
    return lambda wildcards: rule.apply_input_function(item, wildcards)[0]


@dataclass(frozen=True)
class Workflow:
    """The workflow's rules as Snakemake loaded them, with the configuration that they were loaded with."""

    api: Any
    settings: Config
    config: Mapping[str, Any]

    @property
    def raw(self) -> Any:
        """Snakemake's object."""
        return self.api._workflow


@contextlib.contextmanager
def loaded(configuration: Path | None = None, workflow: Path = ROOT) -> Iterator[Workflow]:
    """The workflow of the folder `workflow`, with a configuration file or, without one, its default.

    Raises InputError with the Snakefile's own sentence where the configuration is wrong.
    """
    files = [] if configuration is None else [configuration]
    if configuration is not None and not configuration.is_file():
        raise InputError(f"{configuration}: no such configuration file")
    told = io.StringIO()
    with SnakemakeApi(OutputSettings(quiet={Quietness.ALL})) as api:
        made = api.workflow(
            resource_settings=ResourceSettings(cores=1),
            config_settings=ConfigSettings(configfiles=files),
            snakefile=workflow / "Snakefile",
        )
        try:
            with contextlib.redirect_stderr(told):
                raw = made._workflow
        except SystemExit as stop:
            raise InputError(str(stop.code).removeprefix("error: ")) from None
        except WorkflowError as error:
            raise InputError(f"{configuration or 'config.yaml'}: {error}") from None
        yield Workflow(api=made, settings=raw.globals["settings"], config=raw.globals["config"])


class Graph:
    """All jobs that some targets need, whether their files are there or not, each after those that it needs."""

    def __init__(self, workflow: Workflow, targets: Sequence[str] = ()) -> None:
        """Find the jobs.  A target is a rule's name or a file; none: the default.

        Raises InputError for a target that no rule makes, and for an input that no rule makes and that is not there.
        """
        raw = workflow.raw
        self._raw = raw
        self._rules = {
            rule.name: Rules(rule, rule.norun or rule.name in raw._localrules) for rule in raw.rules
        }
        self._index = OutputIndex(list(raw.rules))
        self._made_by: dict[str, Job | None] = {}
        self.jobs: list[Job] = []
        self.given: dict[str, None] = {}  # files that no rule makes
        for target in targets or (raw.default_target,):
            if target in self._rules and not self._rules[target].rule.wildcard_names:
                self._walk(self._enter(self._rules[target].job({})))
            elif (job := self._producer(target)) is not None:
                self._walk(job)
            elif not Path(target).exists():
                raise InputError(f"{target}: no rule is called so, and none makes such a file")

    def _walk(self, first: Job | None) -> None:
        """Enter a job and all that it needs, depth first, so that what is needed stands before what needs it."""
        if first is None:
            return
        stack: list[tuple[Job, Iterator[str]]] = [(first, iter(first.inputs))]
        open_jobs = {first}
        done = set(self.jobs)
        while stack:
            job, rest = stack[-1]
            for file in rest:
                before = self._made_by[file] if file in self._made_by else self._producer(file)
                if before is None:
                    self.given[file] = None
                    continue
                job.needs[before] = None
                if before not in done and before not in open_jobs:
                    open_jobs.add(before)
                    stack.append((before, iter(before.inputs)))
                    break
            else:
                stack.pop()
                if job not in done:
                    done.add(job)
                    self.jobs.append(job)

    def _enter(self, job: Job) -> Job:
        for file in job.outputs:
            self._made_by[file] = job
        return job

    def _producer(self, file: str) -> Job | None:
        """The job that makes a file; None where no rule does."""
        if file in self._made_by:
            return self._made_by[file]
        for rule in sorted(self._index.match(file), key=lambda rule: rule.name):
            for pattern in rule.output:
                if match := pattern.match(file):
                    return self._enter(self._rules[rule.name].job(match.groupdict()))
        self._made_by[file] = None
        return None


@dataclass(frozen=True)
class Begun:
    """What Snakemake says of one job: why it would run now, and whether it has begun and not ended."""

    why: tuple[str, ...]  # in Snakemake's words; empty: it would not
    begun: bool
    submitted_as: tuple[str, ...]  # the numbers that a cluster gave it


def asked(workflow: Workflow, targets: Sequence[str] = ()) -> dict[str, Begun]:
    """First output -> what Snakemake says of the job, of those that it would run now or that have begun.

    Nothing is locked, written or waited for, so that another Snakemake may be at work.  Takes it seconds for some
    thousand jobs.
    """
    raw = workflow.raw
    # as profiles/default has it
    settings = DAGSettings(targets=set(targets), force_incomplete=True, max_checksum_file_size=2 * 10**9)
    workflow.api.dag(settings)
    raw.execution_settings = ExecutionSettings(lock=False)
    with contextlib.redirect_stderr(io.StringIO()):
        try:
            raw._prepare_dag(forceall=False, ignore_incomplete=True, lock_warn_only=True, nolock=True)
            raw._build_dag()
        except WorkflowError as error:
            raise InputError(f"snakemake: {' '.join(str(error).split())}") from None
    found = {}
    for job in raw.dag.jobs:
        keys = [raw.persistence._get_key(file) for file in job.output]
        begun = bool(raw.persistence._filter_incomplete_keys(keys)) if keys else False
        if keys and (begun or raw.dag.needrun(job)):
            why = tuple(raw.dag.reason(job).get_names()) if raw.dag.needrun(job) else ()
            numbers = tuple(map(str, raw.persistence.external_jobids(job))) if begun else ()
            found[str(job.output[0])] = Begun(why, begun, numbers)
    return found


def missing(graph: Graph) -> list[str]:
    """Files that jobs read, that no rule makes, and that are not there."""
    return [file for file in graph.given if not Path(file).exists()]


def left(jobs: Iterable[Job], files: Callable[[str], bool]) -> set[Job]:
    """The jobs whose outputs are not all there, and those that come after them.

    Of what is there but stale, only Snakemake knows.
    """
    found: set[Job] = set()
    for job in jobs:
        if any(before in found for before in job.needs) or not job.there(files):
            found.add(job)
    return found
