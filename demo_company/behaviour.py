"""The laws of the company as numbers: what docs/demo-company.md explains, in one place. Probabilities are per 10,000."""

from __future__ import annotations

from dataclasses import dataclass

from dagster_project.errors import UsageError

FCR, LATER, UNRESOLVED, SILENT = range(4)
"""What an episode can meet: solved at the first contact, solved later, never solved, or never reported."""
SEVERITIES, STRATA = 4, 3


@dataclass(frozen=True)
class Behaviour:
    """Parameters of the simulated world; `seasonality` and `service_effects` switch their parts off altogether."""

    seasonality: bool = True
    service_effects: bool = True

    value_share: int = 80
    customer_share: int = 20
    """`value_share` percent of the value comes from `customer_share` percent of the accounts."""

    order_shape: float = 0.8
    order_scale: float = 4.8
    """Orders a week of an account while it lives: gamma with this shape and rate (weeks)."""
    lifetime_shape: float = 0.9
    lifetime_scale: float = 150.0
    """Deaths a week of an account for reasons of its own: gamma with this shape and rate (weeks)."""
    season: tuple[int, ...] = (88, 90, 97, 99, 100, 98, 94, 93, 101, 106, 116, 118)
    """Percent of the order rate by month of the year."""

    problem_rates: tuple[int, ...] = (300, 420, 520, 700)
    """Order lines with a problem, by product family modulo 4."""
    severity_shares: tuple[int, ...] = (4_000, 3_500, 1_800, 700)
    complaint: tuple[int, ...] = (3_200, 4_800, 6_600, 8_200)
    """Chance that a problem is reported to the company, by severity 1..4; then by value and language."""
    complaint_by_stratum: tuple[int, ...] = (900, 0, -600)
    """Added for high, middle and low value."""
    complaint_quiet_language: int = -700
    """Added where the customer's language is none of the desk's own (ja, zh)."""

    fcr_by_severity: tuple[int, ...] = (7_800, 6_900, 5_600, 4_000)
    fcr_by_stratum: tuple[int, ...] = (900, 0, -1_300)
    fcr_of_other_matters: int = 7_600
    fcr_per_module: int = 300
    """Added for each training module that the agent has finished."""
    fcr_of_beginners: int = -900
    """Added on the agent's first working day, fading to nothing over `ramp_days`."""
    later_by_severity: tuple[int, ...] = (7_800, 7_000, 6_000, 4_800)
    """Solved later rather than never, once the first contact has not solved it."""

    death: tuple[tuple[int, ...], ...] = (
        (100, 200, 400, 800),
        (300, 500, 900, 1_600),
        (700, 1_200, 2_000, 3_200),
        (450, 800, 1_400, 2_400),
    )
    """Chance that the episode ends the relationship: by what it met (FCR, LATER, UNRESOLVED, SILENT) and severity."""
    death_percent_by_stratum: tuple[int, ...] = (80, 100, 130)
    death_long_wait: int = 250
    death_dissatisfied: int = 350
    long_wait_seconds: int = 180
    long_reply_seconds: int = 30 * 3_600
    dissatisfied: tuple[int, ...] = (1_000, 3_500, 8_000, 6_000)
    dissatisfied_long_wait: int = 1_200
    horizon_days: int = 180
    """Alive this long after the episode's end: the outcome Y."""
    margin_days: int = 365
    """Margin counted as lost or retained after the end of an episode."""
    thinned: int = 2_500
    thinned_days: int = 180
    """Orders not placed after an unsolved episode."""

    patience_seconds: tuple[int, ...] = (300, 200)
    """Mean patience of phone and chat customers in the queue."""
    calls_again: int = 6_500
    """Chance that an abandoned customer tries again on the next open day, at most twice; who was answered before always does."""
    module_percent_of_handle_time: int = -5
    beginner_percent_of_handle_time: int = 45
    """Longer handle time on the agent's first day, fading to nothing over `ramp_days`."""
    ramp_days: int = 90

    def value_odds(self) -> float:
        """R of the value law: odds of `value_share` over odds of `customer_share`."""
        p, q = self.value_share, self.customer_share
        if not 0 < q < p < 100:
            raise ValueError(f"concentration {p}/{q}: the first number must be above the second, both between 1 and 99")
        return p * (100 - q) / (q * (100 - p))


def behaviour_of(concentration: str) -> Behaviour:
    """Return the world with the concentration written as `80/20`.

    Raises
    ------
    UsageError
        Not two whole numbers between 1 and 99, the first above the second.
    """
    parts = concentration.split("/")
    if len(parts) != 2 or not all(part.isascii() and part.isdigit() for part in parts):
        raise UsageError(
            f"concentration {concentration} is not of the form 80/20; remedy: percent of the value, a slash, percent of accounts"
        )
    behaviour = Behaviour(value_share=int(parts[0]), customer_share=int(parts[1]))
    try:
        behaviour.value_odds()
    except ValueError as error:
        raise UsageError(f"demo company: {error}") from error
    return behaviour
