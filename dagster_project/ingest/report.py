"""What a run of ingest did, and the messages about it.

Holds the report only. It must not read a file or decide over a record.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dagster_project.errors import InputRefused
from dagster_project.ingest.sources.loading import SystemLoad
from dagster_project.ledger.entries import StagedFile
from dagster_project.ledger.store import Ledger


@dataclass
class LoadReport:
    """What a run of ingest did: per feed the absolute Parquet files staged, per file the counts, and everything to tell.

    `warnings` speak of files, `notices` of what the ledger shows over many deliveries, `rejections` of records kept out.
    """

    files: list[StagedFile] = field(default_factory=list)
    batches: dict[str, list[Path]] = field(default_factory=lambda: defaultdict(list))
    rows: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    warnings: list[str] = field(default_factory=list)
    withdrawn: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    mapped: dict[str, int] = field(default_factory=dict)  # records mapped, by system and stream
    systems: list[SystemLoad] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    rejections: list[str] = field(default_factory=list)

    def add(self, found: SystemLoad, home: Path) -> None:
        """Take in what was made of the source tables of one system."""
        self.systems.append(found)
        self.files += found.files
        self.warnings += found.warnings
        for stream, parent, count, day in found.waiting:
            self.notices.append(f"{found.system}/{stream}: {count:,} records wait for their {parent}, the oldest since {day}")
        for batch in found.staged.batches if found.staged is not None else ():
            self.batches[batch.feed].append(home / batch.path)
            self.rows[batch.feed] += batch.rows
            self.withdrawn[batch.feed] += batch.withdrawn
        if found.change is not None:
            self.mapped |= {f"{found.system}/{stream}": count for stream, count in found.change.mapped.items()}
            if found.change.nameless:
                message = "rows of forgotten accounts came again and were made nameless; remedy: forget the account again"
                self.warnings.append(f"{found.system}: {found.change.nameless:,} {message}")

    @property
    def paths(self) -> dict[str, str]:
        """Path of the delivered file by batch; a batch made of source tables has none."""
        return {batch.batch_id: file.path for file in self.files for batch in file.batches}

    def commit(self, ledger: Ledger) -> None:
        """Make the source tables of every system durable whose change the ledger accepted; drop the others."""
        accepted = {number for (number,) in ledger.rows("select change_number from changes where status = 'accepted'")}
        for system in self.systems:
            if system.change_number in accepted:
                system.commit()
            else:
                system.abandon()
        self.systems = []

    def abandon(self, *, keep_files: bool = False) -> None:
        """Leave the source tables as they were: nothing of this run counts. The typed rows may stay for a look."""
        for system in self.systems:
            system.abandon(keep_files=keep_files)
        self.systems = []

    @property
    def refusals(self) -> list[str]:
        """Messages of the files refused completely, those that cannot be read too."""
        return [file.error for file in self.files if file.status == "refused" and file.error is not None]

    @property
    def unreadable(self) -> list[str]:
        """Messages of the files that cannot be read: these stop nothing else."""
        return [file.error for file in self.files if file.is_unread and file.error is not None]

    @property
    def is_stopped(self) -> bool:
        """Whether a file was refused by a rule of its feed: then nothing is published."""
        return len(self.refusals) > len(self.unreadable)

    def raise_if_refused(self) -> None:
        """Stop the run when any file was refused.

        Raises
        ------
        InputRefused
            Names every refused file with its reason.
        """
        if self.refusals:
            raise InputRefused("\n".join(self.refusals))


def repeated(files: Sequence[StagedFile], left_out: Mapping[str, Mapping[str, int]]) -> Iterator[str]:
    """Report once for each stream how many records repeat a key of their own file, and where there are most."""
    streams = defaultdict(list)
    for file in files:
        count = file.superseded - sum(left_out.get(file.path, {}).values())
        if file.status == "staged" and count and file.duplicate_of_path is None and file.batches:
            streams[file.system, file.stream].append((count, file))
    for (system, stream), found in sorted(streams.items()):
        most, file = max(found, key=lambda entry: entry[0])
        several = "" if len(found) == 1 else f"{system}/{stream}: {sum(count for count, _ in found):,} in {len(found):,} files, most in "
        message = f"{most:,} of {file.physical:,} records repeat the key of another record of the file; the latest is kept"
        yield f"{several}{file.path}: {message}"


def left_out(files: Mapping[str, Mapping[str, int]]) -> Iterator[str]:
    """Report once for each stream and reason how many records its mapping excludes; they count as superseded."""
    totals = Counter[tuple[str, str]]()
    for path, reasons in files.items():
        totals.update({("/".join(path.split("/")[:2]), reason): count for reason, count in reasons.items()})
    for (stream, reason), count in sorted(totals.items()):
        yield f"{stream}: {count:,} records excluded: {reason}"
