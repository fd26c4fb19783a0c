"""Columns of the tables of schema `ops` that are written when a copy is made: name, type (`!` where it never is null) and meaning.

Those without a meaning here have the one that tables share (`dbt/models/columns.md`).
"""

from __future__ import annotations

from dagster_project.engines.described import declared

_CHECK = """run_id string!
        feed string! Feed that was checked; marts for a test of the models.
        expectation string! Name of the check.
        column_name string Column that was checked; null where the check is of rows or of the complete batch."""
OPS_COLUMNS = {
    "load_ledger": declared(
        "One row per delivered file that was accepted or is a duplicate: what became of its records; physical = loaded + superseded +"
        " quarantined + waiting.",
        """
        file_id bigint! Number of the file, in the order in which files were first seen.
        system_name string!
        stream_name string!
        delivery_date date! Day of delivery, from the folder.
        file_path string! Path below the landing folder; addresses and numbers of persons masked.
        file_sha256 string! SHA-256 of the file.
        bytes_count bigint! Size of the file in bytes.
        load_state string! accepted, or duplicate (the same bytes came before).
        duplicate_of_path string File with the same bytes that came before; null where there is none.
        physical_count bigint! Records in the file, as our own reader counts them.
        loaded_count bigint! Records that are in the warehouse now.
        superseded_count bigint! Records replaced by a later version, or brought again unchanged.
        quarantined_count bigint! Records kept out by a rule; see ops.quarantine.
        waiting_count bigint! Records whose parent has not come yet.
        header_drift string How the header differs from the contract, as JSON; null where it does not.
        extras_path string Where values of columns that nobody described are kept, below HOME; null where there are none.
        run_id string!
        """,
    ),
    "quarantine": declared(
        "One row per record that breaks a rule, and feed made from it: kept out, with its reason, values masked.",
        """
        file_path string! Path below the landing folder; addresses and numbers of persons masked.
        file_sha256 string! SHA-256 of the file.
        feed string!
        record_number bigint! Number of the record in the file, from 1.
        line_number bigint Line of the file at which the record begins; null where the format has none.
        column_name string Column that breaks the rule; null where the complete record does.
        rule string! Rule that the record breaks.
        reason string! What is wrong, in words.
        raw_text_masked string The record with only its key and the wrong value readable.
        raw_sha256 string SHA-256 of the record as delivered.
        first_seen_date date! Day on which the file was delivered.
        age_days bigint Days from then to the latest delivery of all; null once resolved.
        quarantine_state string! open or resolved.
        first_seen_run_id string Run that found it.
        resolved_by_run_id string Run that loaded the corrected record; null while open.
        resolved_by_path string File that brought the corrected record; null while open.
        """,
    ),
    "unusual_volumes": declared(
        "One row per stream and day of delivery with far more or fewer records than usual.",
        """
        system_name string!
        stream_name string!
        delivery_date date! Day of delivery.
        physical_count bigint! Records of the day.
        usual_count bigint! Median of the days that it is compared with.
        lowest_usual_count bigint! Fewest records that are still usual.
        highest_usual_count bigint! Most records that are still usual.
        compared_count bigint! Number of days that it is compared with.
        run_id string!
        """,
    ),
    "feed_changes": declared(
        "One row per run over source tables and feed: rows written and withdrawn.",
        """
        change_number bigint! Number of the change; of two versions of a key in one system the greater wins.
        system_name string!
        feed string!
        delivery_date date! Latest day of delivery that the change read.
        written_count bigint! Rows written.
        withdrawn_count bigint! Rows that the system does not hold any more.
        run_id string!
        """,
    ),
    "feed_freshness": declared(
        "One row per feed that was ever delivered: how old its latest delivery is.",
        """
        feed string!
        last_delivery_date date! Latest day of delivery.
        age_days bigint! Days from then to the latest delivery of any feed, or to the day up to which the run reads.
        maximum_age_days bigint Days that the contract allows, grace included; null where it says nothing.
        is_stale boolean! Older than the contract allows.
        """,
    ),
    "check_results": declared(
        "One row per run, feed and check: what was checked, and what was found.",
        f"""
        {_CHECK}
        severity string! critical stops the run, warning does not, refused is a file or folder that the run did not take.
        is_success boolean! Nothing was found.
        unexpected_count bigint Rows or groups found; null where nothing is countable.
        observed string First keys found, or what was found instead; masked.
        notes string What it means.
        """,
    ),
    "warnings": declared(
        "One row per run, feed and check that warned or refused something.",
        f"""
        {_CHECK}
        unexpected_count bigint Rows or groups found; null where nothing is countable.
        observed string First ten keys found, or the path that was refused; masked.
        notes string What it means; of what was refused the reason and the remedy.
        """,
    ),
    "runs": declared(
        "One row per run that read something new.",
        """
        run_id string!
        started_at timestamp Instant of its start, UTC.
        finished_at timestamp Instant of its end, UTC; null while it runs, as the run that makes the copy does.
        run_state string! started, succeeded or failed.
        detail string Message of a failed run; masked.
        """,
    ),
    "metric_registry": declared(
        "One row per metric: what it means and where it is found.",
        """
        metric_id string! Name of the metric.
        version bigint! Grows with each change of the formula.
        owner string! Who answers for the definition.
        formula string! How it is reckoned.
        unit string! Unit of the value.
        direction string! higher_is_better, lower_is_better or neutral.
        kind string! sum, ratio, mean or proportion; a proportion has an interval.
        cuts string! Cuts of mart_metric that it has besides `all`, by comma; empty where there is none.
        sources string! Feeds that it needs, by comma; a|b where either is enough.
        relation string! Table that holds it, schema.table.
        spec_rows string! Rows of the specification that it serves, by comma; empty where there is none.
        numerator string Column of the numerator, in the same table; null where the metric is no quotient.
        denominator string Column of the denominator, in the same table; null where the metric is no quotient.
        column string! Column that holds it.
        label_en string! Label in English.
        label_fr string! Label in French.
        label_it string! Label in Italian.
        label_zh string! Label in Chinese.
        label_ja string! Label in Japanese.
        """,
    ),
    "spec_coverage": declared(
        "One row per row of the specification: whether a metric or a table serves it.",
        """
        row_id string! Row of the specification.
        claim string! What the row of the specification asks for.
        feature string! Name of what it asks for.
        grain string Grain that it asks for.
        rule string Rule that it gives.
        unit string Unit of its figure.
        state string! served, source_absent (its feeds were not delivered) or not_built.
        where string relation.column of the metrics that serve it, and tables that do, by comma; empty where there is none.
        """,
    ),
}
