"""Great Expectations in a process of its own: `python -m dagster_project.checks.worker`.

The import of the library takes seconds, so the run starts the worker first and loads data meanwhile. The protocol is one
JSON request a line on stdin (`{"feed": ..., "files": [...]}`) and one JSON answer a line on stdout (`{"result": ...}` or
`{"error": ...}`); whatever libraries print goes to stderr. The worker ends when its stdin closes, so it never outlives
its run, not even a killed one. Holds the protocol only; the client must not import Great Expectations.
"""

from __future__ import annotations

import atexit
import json
import os
import select
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Final

from dagster_project.checks.results import SuiteResult
from dagster_project.errors import InfrastructureError
from dagster_project.settings import PROJECT_DIR

_TAIL_BYTES: Final = 2_000
_CLOSING_SECONDS: Final = 10.0


class ValidationWorker:
    """Client of one worker process. Starts it at once and returns; the first `validate` waits for the import if it must.

    One request at a time: not safe for use from several threads. Use as a context manager or call `close`.
    """

    def __init__(self, *, threads: int = 2, memory_limit: str = "2GB", timeout_seconds: float = 3_600.0) -> None:
        self._timeout = timeout_seconds
        # Kept open for the life of the worker: its standard error, read only when it dies.
        self._stderr: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115
        self._process = subprocess.Popen(
            [sys.executable, "-m", "dagster_project.checks.worker", str(threads), memory_limit],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            cwd=PROJECT_DIR,
        )

    def validate(self, feed: str, files: Sequence[Path]) -> SuiteResult:
        """Check `files` (Parquet of the lake, at least one) together as one batch of `feed`.

        Raises
        ------
        InfrastructureError
            The worker died, did not answer in time or could not run the suite; the message has the end of its stderr.
        """
        request = json.dumps({"feed": feed, "files": [str(path) for path in files]}) + "\n"
        answer = self._exchange(feed, request.encode())
        if "error" in answer:
            raise InfrastructureError(f"the checks of {feed} could not run: {answer['error']}")
        return SuiteResult.from_json(answer["result"])

    @property
    def is_alive(self) -> bool:
        """False once the process has ended, for whatever reason."""
        return self._process.poll() is None

    def close(self) -> None:
        """End the worker at once, also in the middle of its import: it keeps nothing. Safe to call twice."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(BrokenPipeError):  # a request it never read, reported where it was sent
                    pipe.close()
        self._stderr.close()

    def __enter__(self) -> ValidationWorker:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _exchange(self, feed: str, request: bytes) -> dict[str, Any]:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        try:
            stdin.write(request)
            stdin.flush()
        except (BrokenPipeError, ValueError) as error:
            raise self._death(feed, "is gone") from error
        ready, _, _ = select.select([stdout], [], [], self._timeout)
        if not ready:
            self._process.kill()
            raise self._death(feed, f"did not answer within {self._timeout:g} s and was ended")
        line = stdout.readline()
        if not line.endswith(b"\n"):
            raise self._death(feed, "died")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _death(self, feed: str, how: str) -> InfrastructureError:
        try:
            code: int | str = self._process.wait(timeout=_CLOSING_SECONDS)
        except subprocess.TimeoutExpired:
            code = "still running"
        if self._stderr.closed:
            return InfrastructureError(f"the check worker {how} before {feed} was checked: it was closed")
        self._stderr.seek(max(0, self._stderr.seek(0, os.SEEK_END) - _TAIL_BYTES))
        tail = self._stderr.read().decode(errors="replace").strip() or "nothing on its stderr"
        remedy = "remedy: run again, nothing of this feed became visible"
        return InfrastructureError(f"the check worker {how} before {feed} was checked (exit {code}); {remedy}\n{tail}")


_shared: list[ValidationWorker] = []


def shared_worker() -> ValidationWorker:
    """Return the worker of this process, started at first use and again when it has died; it ends with the process.

    Further runs in the same process pay no second import.
    """
    if not _shared or not _shared[0].is_alive:
        while _shared:
            _shared.pop().close()
        _shared.append(ValidationWorker())
        atexit.register(_shared[0].close)
    return _shared[0]


def serve(requests: IO[str], answers: IO[str], *, threads: int, memory_limit: str) -> None:
    """Answer requests until there are no more; an error of one request is its answer and does not end the worker."""
    from dagster_project.checks.validation import SuiteRunner  # the slow import, after the process has started

    runner = SuiteRunner(threads=threads, memory_limit=memory_limit)
    for line in requests:
        try:
            request = json.loads(line)
            result = runner.validate(request["feed"], [Path(name) for name in request["files"]])
            answer: dict[str, Any] = {"result": result.to_json()}
        except Exception as error:  # whatever it is, the run that asked must hear it
            answer = {"error": f"{type(error).__name__}: {error}"}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()
    runner.close()


def main() -> None:
    """Serve stdin with the real stdout kept for answers only; arguments are threads and memory limit."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    threads, memory_limit = sys.argv[1:3]
    serve(sys.stdin, answers, threads=int(threads), memory_limit=memory_limit)


if __name__ == "__main__":
    main()
