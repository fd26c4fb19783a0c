"""The allocation macro against its golden fixture, its small examples and an exact oracle in fractions."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import duckdb
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

UNSHRUNK = settings(deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])
"""The comparison of the lists names the pool; to shrink twenty of them would take minutes."""
GOLDEN_WEIGHTS = [10, 20, 30, 40, 50, 51]
Share = Callable[[int, list[int]], list[int]]
Split = tuple[int, list[int]]
ShareAll = Callable[[Sequence[Split]], list[list[int]]]


def write_pools(connection: duckdb.DuckDBPyConnection, table: str, pools: Sequence[Split]) -> None:
    """Write one row an object: its pool, the amount of the pool, its weight and its place."""
    rows = [[pool, amount, weights] for pool, (amount, weights) in enumerate(pools)]
    connection.execute(
        f"create or replace temp table {table} as select pool, amount, unnest(weights) as weight, unnest(range(len(weights))) as place from"
        " (select unnest(?::int[]) as pool, unnest(?::bigint[]) as amount, unnest(?::bigint[][]) as weights)",
        [list(column) for column in zip(*rows, strict=True)],
    )


def by_pool(rows: Sequence[tuple[int, int]], count: int) -> list[list[int]]:
    return [[share for of, share in rows if of == pool] for pool in range(count)]


@pytest.fixture(scope="module")
def share_all(render: Callable[[str], str]) -> ShareAll:
    """Split the amounts of many pools over their weights, one row an object; key = position."""
    sql = render("{{ largest_remainder('shares', 'pool', 'amount', 'weight', 'place') }}")
    connection = duckdb.connect()

    def split(pools: Sequence[Split]) -> list[list[int]]:
        write_pools(connection, "shares", pools)
        rows = connection.execute(f"select pool, base_minor + bonus_minor * bonus_count from ({sql}) order by pool, place").fetchall()
        return by_pool(rows, len(pools))

    return split


@pytest.fixture(scope="module")
def share(share_all: ShareAll) -> Share:
    """Split the amount of one pool."""
    return lambda amount, weights: share_all([(amount, weights)])[0]


@pytest.mark.spec("C23")
def test_the_six_tickets_of_the_golden_fixture_get_their_cents(share: Share, golden: dict[int, list[int]]) -> None:
    assert {amount: share(amount, GOLDEN_WEIGHTS) for amount in golden} == golden


def test_one_merged_pool_gives_other_cents_so_pools_are_split_one_by_one(share: Share, golden: dict[int, list[int]]) -> None:
    assert share(10_000_00, GOLDEN_WEIGHTS)[0] == 497_51
    assert sum(column[0] for column in golden.values()) == 497_50


@pytest.mark.parametrize(
    ("amount", "weights", "expected"),
    [
        (100_00, [1, 1, 1], [33_34, 33_33, 33_33]),
        (10_00, [7, 11, 13], [2_26, 3_55, 4_19]),
        (-10_00, [7, 11, 13], [-2_26, -3_55, -4_19]),
        (1, [1, 1, 1], [1, 0, 0]),
        (0, [3, 4], [0, 0]),
        (1, [1, 3, 4], [0, 0, 1]),
    ],
)
def test_small_examples_by_hand(share: Share, amount: int, weights: list[int], expected: list[int]) -> None:
    assert share(amount, weights) == expected


def test_equal_remainders_favour_the_larger_weight_then_the_smaller_key(share: Share) -> None:
    assert share(2, [1, 3, 3, 1]) == [0, 1, 1, 0]  # quotas 1/4, 3/4, 3/4, 1/4
    assert share(1, [2, 2]) == [1, 0]
    assert share(3, [1, 1, 2, 2]) == [1, 0, 1, 1]  # quotas 1/2, 1/2, 1, 1: the tie of the two halves goes to the first


def test_products_beyond_64_bits_stay_exact(share: Share, hamilton: Share) -> None:
    amount, weights = 10**17 + 7, [10**12 + 1, 3, 10**12]
    assert share(amount, weights) == hamilton(amount, weights)


def test_a_pool_without_weight_gives_no_row_for_its_caller_to_place(share: Share) -> None:
    assert share(100, [0, 0]) == []


splits = st.tuples(st.integers(-(10**13), 10**13), st.lists(st.integers(0, 10**7), min_size=1, max_size=12).filter(any))
small_splits = st.tuples(st.integers(-(10**6), 10**6), st.lists(st.integers(0, 6), min_size=1, max_size=30).filter(any))


@pytest.mark.fault("F14")
@settings(UNSHRUNK, max_examples=10)
@given(pools=st.lists(splits, min_size=20, max_size=20))
def test_every_split_is_exact_and_equals_the_oracle(share_all: ShareAll, hamilton: Share, pools: list[Split]) -> None:
    found = share_all(pools)
    assert found == [hamilton(amount, weights) for amount, weights in pools]
    assert [sum(shares) for shares in found] == [amount for amount, _ in pools]


@settings(UNSHRUNK, max_examples=5)
@given(pools=st.lists(small_splits, min_size=20, max_size=20))
def test_one_row_for_all_objects_of_a_weight_gives_the_same_cents(
    render: Callable[[str], str], hamilton: Share, pools: list[Split]
) -> None:
    sql = render("{{ largest_remainder('shares', 'pool', 'amount', 'weight', 'weight', 'n') }}")
    with duckdb.connect() as connection:
        write_pools(connection, "objects", pools)
        connection.execute("create temp table shares as select pool, amount, weight, count(*) as n from objects group by all")
        rows = connection.execute(
            f"with handed as ({sql}),"
            " placed as (select *, row_number() over (partition by pool, weight order by place) as rank from objects) "
            "select pool, base_minor + case when rank <= bonus_count then bonus_minor else 0 end from placed join handed using "
            "(pool, weight) order by pool, place"
        ).fetchall()
    assert by_pool(rows, len(pools)) == [hamilton(amount, weights) for amount, weights in pools]
