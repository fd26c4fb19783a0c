"""Errors that users see: each carries its exit code and says what to do.

Holds exception types, and the hint at what a misspelt word may mean. It must not import any other module of the project but the masking of
texts.
"""

from collections.abc import Iterable
from difflib import get_close_matches

from dagster_project.masking import masked


class ServiceRoiError(Exception):
    """Base of every error shown without a stack trace; `exit_code` is what the command line returns.

    Its words reach logs, alerts, the ledger and Dagster, so addresses and numbers of persons are taken out here, for every module.
    """

    exit_code = 1

    def __init__(self, message: str = "") -> None:
        """Keep the message, masked."""
        super().__init__(masked(message, "message"))


class UsageError(ServiceRoiError):
    """Wrong usage or configuration: unknown setting, missing folder, unreadable assumptions."""

    exit_code = 2


class InputRefused(ServiceRoiError):  # noqa: N818  named by what happened, as users read it
    """A delivered file was refused before anything of it became visible."""

    exit_code = 3


class FileUnread(InputRefused):
    """A delivered file cannot be read at all: no permission, damaged, a name or a link that leads nowhere.

    It says nothing of its feed, so that everything else of a run is loaded and published; the run then ends with this.
    """


class ChecksFailed(ServiceRoiError):  # noqa: N818  as above
    """A blocking check failed; nothing was published and the previous copy stays served."""

    exit_code = 4


class InfrastructureError(ServiceRoiError):
    """Lock held, disk full, memory exhausted or a damaged file of ours."""

    exit_code = 5


def did_you_mean(word: str, known: Iterable[str], most: int = 1) -> str:
    """Return the hint at the known words nearest to a misspelt one, to follow the message; empty where none is near."""
    near = get_close_matches(word, list(known), n=most)
    return f"; did you mean {', '.join(near)}?" if near else ""
