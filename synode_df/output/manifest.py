"""The manifest of a landed run: what is there, what made it, and how to tell whether it is still whole."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from synode_df.engine.tally import JourneyTally, StepTally, Tally
from synode_df.errors import shown
from synode_df.output.base import Shard, ShardFile

MANIFEST: Final = "_manifest.json"


@dataclass(frozen=True)
class Manifest:
    """What a directory of shards holds.

    Attributes
    ----------
    complete : bool
        Whether the run came to its end.
    config : mapping of str to JSON value
        All that decides what the files are; the same config gives the same bytes.
    schema : mapping of str to str
        The events' columns and types.
    partition_by : mapping of str to list of str or None
        The columns that stand in the folders' names, with the labels of those that are Enums.
    shards : tuple of Shard
        The events, in order of users.
    tables : mapping of str to tuple of ShardFile
        What landed beside the events.
    tally : Tally
        What happened to the users.
    """

    complete: bool
    config: Mapping[str, Any]
    schema: Mapping[str, str] = field(default_factory=dict)
    partition_by: Mapping[str, list[str] | None] = field(default_factory=dict)
    shards: tuple[Shard, ...] = ()
    tables: Mapping[str, tuple[ShardFile, ...]] = field(default_factory=dict)
    tally: Tally = field(default_factory=Tally)

    def files(self) -> Iterator[ShardFile]:
        """Every file."""
        for shard in self.shards:
            yield from shard.files
        for files in self.tables.values():
            yield from files

    def to_json(self) -> str:
        """The manifest as text."""
        files = [file for shard in self.shards for file in shard.files]
        return json.dumps(
            {
                "complete": self.complete,
                "rows": sum(file.rows for file in files),
                "bytes": sum(file.bytes for file in files),
                "content_hash": content_hash(self.shards),
                "config_hash": config_hash(self.config),
                "config": self.config,
                "schema": self.schema,
                "partition_by": self.partition_by,
                "shards": [shard_values(shard) for shard in self.shards],
                "tables": {
                    name: [dataclasses.asdict(each) for each in each_of] for name, each_of in self.tables.items()
                },
                "tally": tally_values(self.tally),
            },
            indent=1,
        )

    @classmethod
    def from_json(cls, text: bytes | str) -> Manifest:
        """The manifest that a text holds.

        Raises
        ------
        ValueError, KeyError, TypeError
            Where it is none.
        """
        read = json.loads(text)
        return cls(
            complete=bool(read["complete"]),
            config=read["config"],
            schema=read["schema"],
            partition_by=read["partition_by"],
            shards=tuple(shard_of(each) for each in read["shards"]),
            tables={name: tuple(ShardFile(**each) for each in files) for name, files in read["tables"].items()},
            tally=tally_of(read["tally"]),
        )


def content_hash(shards: Iterable[Shard]) -> str:
    """SHA-256 over users, names and hashes of all files, in order of users.

    The same for every number of workers and every order of finish; another `batch_size` or compression cuts or
    packs the same events in other files and so has another hash.
    """
    digest = hashlib.sha256()
    for shard in shards:
        digest.update(f"{shard.first_user} {shard.end_user}\n".encode())
        for file in shard.files:
            digest.update(f"{file.name} {file.sha256}\n".encode())
    return digest.hexdigest()


def config_hash(config: Mapping[str, Any]) -> str:
    """SHA-256 over a config."""
    return hashlib.sha256(json.dumps(config, sort_keys=True).encode()).hexdigest()


def differences(there: Mapping[str, Any], here: Mapping[str, Any], prefix: str = "") -> list[str]:
    """What differs between two configs, in words: `"seed: 7 there, 8 here"`."""
    found = []
    for name in dict.fromkeys([*there, *here]):
        if name not in there:
            found.append(f"{prefix}{name}: not there, new here")
        elif name not in here:
            found.append(f"{prefix}{name}: there, missing here")
        elif isinstance(there[name], Mapping) and isinstance(here[name], Mapping):
            found += differences(there[name], here[name], f"{prefix}{name} > ")
        elif there[name] != here[name]:
            if _is_hash(there[name]) and _is_hash(here[name]):
                found.append(f"{prefix}{name}: changed")
            else:
                found.append(f"{prefix}{name}: {shown(there[name], 40)} there, {shown(here[name], 40)} here")
    return found


def _is_hash(value: object) -> bool:
    return isinstance(value, str) and value.startswith("sha256:")


def shard_values(shard: Shard) -> dict[str, Any]:
    """A shard as JSON values."""
    files = [
        {"name": f.name, "rows": f.rows, "bytes": f.bytes, "sha256": f.sha256, "stamp": f.stamp} for f in shard.files
    ]
    return {"first_user": shard.first_user, "end_user": shard.end_user, "files": files}


def shard_of(values: Mapping[str, Any]) -> Shard:
    """The shard that JSON values describe."""
    files = tuple(ShardFile(**each) for each in values["files"])
    return Shard(values["first_user"], values["end_user"], files)


def tally_values(tally: Tally) -> dict[str, Any]:
    """A tally as JSON values: what is keyed by several ids becomes lists."""
    return {
        "users": tally.users,
        "events": tally.events,
        "dropped": tally.dropped,
        "names": tally.names,
        "journeys": {id: dataclasses.astuple(counts) for id, counts in tally.journeys.items()},
        "adventures": [[*ids, *dataclasses.astuple(counts)] for ids, counts in tally.adventures.items()],
        "actions": [[*ids, *dataclasses.astuple(counts)] for ids, counts in tally.actions.items()],
        "failures": [[*ids, rows] for ids, rows in tally.failures.items()],
    }


def tally_of(values: Mapping[str, Any]) -> Tally:
    """The tally that JSON values describe."""
    return Tally(
        users=values["users"],
        events=values["events"],
        dropped=values["dropped"],
        names=dict(values["names"]),
        journeys={id: JourneyTally(*counts) for id, counts in values["journeys"].items()},
        adventures={(row[0], row[1]): StepTally(*row[2:]) for row in values["adventures"]},
        actions={(row[0], row[1], row[2]): StepTally(*row[3:]) for row in values["actions"]},
        failures={(row[0], row[1], row[2]): row[3] for row in values["failures"]},
    )
