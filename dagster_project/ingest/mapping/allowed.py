"""What the SELECT of a mapping may use: the relations it is given, and functions that work on values alone.

Holds the lists and the walk over the statement as the engine itself has parsed it. Whatever is not listed is refused: a function that
reads files, settings, variables or the catalogue, that runs text as SQL, that gives another value each time, or that writes. It must not
bind or run the statement.
"""

from __future__ import annotations

import json
import string
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import duckdb

from dagster_project.errors import UsageError
from dagster_project.ingest.sql_text import literal

FUNCTIONS = frozenset(
    # operators
    """! !__postfix !~~ !~~* % & && ** * + - ->> -> / // << <=> <@ >> @ @> ^ ^@ | || ~ ~~ ~~* ~~~ add and divide multiply not_like_escape
    not_ilike_escape like_escape ilike_escape subtract xor"""
    # numbers
    """ abs acos acosh asin asinh atan atan2 atanh bit_count cbrt ceil ceiling cos cosh cot degrees even exp fdiv floor fmod gcd
    greatest_common_divisor isfinite isinf isnan lcm least_common_multiple ln log log10 log2 mod pi pow power radians round round_even
    roundbankers sign signbit sin sinh sqrt tan tanh trunc width_bucket"""
    # text
    """ array_to_string ascii bit_length char_length character_length chr concat concat_ws contains damerau_levenshtein decode editdist3
    encode ends_with from_base64 from_hex hamming hex instr jaccard jaro_similarity jaro_winkler_similarity lcase left left_grapheme len
    length length_grapheme levenshtein lower ltrim mismatches nfc_normalize octet_length ord position prefix regexp_escape regexp_extract
    regexp_extract_all regexp_full_match regexp_matches regexp_replace regexp_split_to_array replace reverse right right_grapheme rtrim
    split split_part starts_with str_split str_split_regex string_split string_split_regex string_to_array strip_accents strlen strpos
    substr substring substring_grapheme suffix to_base64 to_hex translate trim ucase unhex unicode upper url_decode url_encode
    parse_filename parse_dirname parse_dirpath hash md5 sha1 sha256"""
    # dates and instants
    """ age century date_add date_diff date_part date_sub date_trunc datediff datepart datesub datetrunc day dayname dayofmonth dayofweek
    dayofyear days_in_month decade epoch epoch_ms epoch_ns epoch_us era hour isodow isoyear julian last_day make_date make_time
    make_timestamp make_timestamp_ms make_timestamp_ns make_timestamptz microsecond millennium millisecond minute month monthname
    nanosecond quarter second strftime strptime time_bucket timezone timezone_hour timezone_minute to_centuries to_days to_decades to_hours
    to_microseconds to_millennia to_milliseconds to_minutes to_months to_quarters to_seconds to_timestamp to_weeks to_years try_strptime
    week weekday weekofyear year yearweek normalized_interval"""
    # choices and types
    """ alias any_value arbitrary constant_or_null greatest least nullif row switch typeof get_type"""
    # lists, structs, maps
    """ aggregate apply array_aggr array_aggregate array_append array_apply array_cat array_concat array_contains array_distinct
    array_extract array_filter array_has array_has_all array_has_any array_indexof array_intersect array_length array_pop_back
    array_pop_front array_position array_prepend array_push_back array_push_front array_reduce array_reverse array_reverse_sort
    array_select array_slice array_sort array_transform array_unique array_value array_where array_zip cardinality element_at filter
    finalize flatten list_aggr list_aggregate list_any_value list_append list_apply list_avg list_bit_and list_bit_or list_bool_and
    list_bool_or list_cat list_concat list_contains list_count list_distinct list_element list_extract list_filter list_first list_has
    list_has_all list_has_any list_indexof list_intersect list_last list_max list_median list_min list_mode list_pack list_position
    list_prepend list_product list_reduce list_reverse list_reverse_sort list_select list_slice list_sort list_string_agg list_sum
    list_transform list_unique list_value list_where list_zip map map_concat map_contains map_contains_entry map_contains_value
    map_entries map_extract map_extract_value map_from_entries map_keys map_values reduce struct_concat struct_contains struct_extract
    struct_extract_at struct_has struct_indexof struct_insert struct_keys struct_pack struct_position struct_update struct_values
    union_extract union_tag union_value unpivot_list unnest generate_subscripts"""
    # JSON as text
    """ array_to_json from_json from_json_strict json json_array json_array_length json_contains json_exists json_extract
    json_extract_path json_extract_path_text json_extract_string json_group_array json_group_object json_keys json_merge_patch json_object
    json_pretty json_quote json_structure json_transform json_transform_strict json_type json_valid json_value row_to_json to_json"""
    # aggregates and windows
    """ arg_max arg_max_null arg_max_nulls_last arg_min arg_min_null arg_min_nulls_last argmax argmin array_agg avg bit_and bit_or bit_xor
    bool_and bool_or corr count count_if count_star countif covar_pop covar_samp cume_dist dense_rank entropy favg fill first first_value
    fsum geomean geometric_mean group_concat kahan_sum kurtosis kurtosis_pop lag last last_value lead list listagg mad max max_by mean
    median min min_by mode nth_value ntile percent_rank product quantile quantile_cont quantile_disc rank rank_dense regr_avgx regr_avgy
    regr_count regr_intercept regr_r2 regr_slope regr_sxx regr_sxy regr_syy row_number sem skewness stddev stddev_pop stddev_samp
    string_agg sum sum_no_overflow sumkahan var_pop var_samp variance wavg weighted_avg""".split()
)
"""Functions of values: what one gives depends on its arguments alone and is not much longer than they are."""
COUNTED = {"lpad": 1, "rpad": 1, "repeat": 1, "range": -1, "generate_series": -1, "list_resize": 1, "array_resize": 1}
"""Functions whose result is as long as an argument says (its place; -1: every argument): it must be a number written out."""
WITH_ALL = {"age": 2}
"""Functions that take today for an argument that is omitted, and how many they need."""
OF_TODAY = frozenset(("TIME WITH TIME ZONE",))
"""Types whose values depend on today: a time of day in a zone, by the offset that the zone has now."""
TABLE_FUNCTIONS = frozenset(("unnest", "json_each", "json_tree"))
LONGEST = 10_000
_VALUES = frozenset(
    """current_catalog current_date current_role current_schema current_time current_timestamp current_user localtime localtimestamp
    session_user user""".split()
)
"""Names that the engine takes for a function where no column is called so."""
_SMALL = {ord(letter): letter.lower() for letter in string.ascii_uppercase}


def check_statement(path: Path, text: str, relations: Mapping[str, Collection[str]], connection: duckdb.DuckDBPyConnection) -> None:
    """Refuse a statement that uses anything but these relations (name to columns), its own CTEs and the functions above.

    Raises
    ------
    UsageError
        Names the file, the line and what is not allowed.
    """
    ((found,),) = connection.execute(f"select json_serialize_sql({literal(text)})").fetchall()
    parsed = json.loads(found)
    if parsed["error"]:
        line = _line(text, int(parsed["position"])) if str(parsed.get("position", "")).isdigit() else ""
        raise UsageError(f"mapping {path}{line}: {parsed.get('error_message', 'not a SELECT')}")
    known = {folded(name) for name in relations}
    columns = {folded(column) for named in relations.values() for column in named}
    for at, wrong in [*_wrong(parsed["statements"], known), *_values(parsed["statements"], _VALUES - columns)]:
        raise UsageError(f"mapping {path}{_line(text, at)}: {wrong}")


def folded(name: str) -> str:
    """Return a name as the engine compares names: only capitals of ASCII are folded (the Kelvin sign is no k)."""
    return name.translate(_SMALL)


def _line(text: str, at: int) -> str:
    return f":{text.encode()[:at].count(10) + 1}" if 0 <= at <= len(text.encode()) else ""


def _wrong(node: Any, known: Collection[str]) -> Iterator[tuple[int, str]]:
    """Yield place and fault of everything that is not allowed below a node; `known` are the relations that it may name."""
    if isinstance(node, list):
        for child in node:
            yield from _wrong(child, known)
        return
    if not isinstance(node, Mapping):
        return
    yield from _wrong_here(node, known)
    if "cte_map" in node:  # each may read those before it, not itself: its own name would be looked for elsewhere
        for entry in node["cte_map"]["map"]:
            yield from _wrong(entry["value"], known)
            known = {*known, folded(entry["key"])}
    for name, child in node.items():
        if name != "cte_map":
            yield from _wrong(child, known)


def _values(node: Any, names: Collection[str]) -> Iterator[tuple[int, str]]:
    """Yield the columns of these names: no relation has them, so that each is a function."""
    children = node if isinstance(node, list) else node.values() if isinstance(node, Mapping) else ()
    named = node["column_names"] if isinstance(node, Mapping) and node.get("class") == "COLUMN_REF" else []
    if len(named) == 1 and folded(named[0]) in names:
        yield node["query_location"], f"{named[0]} is no column of a relation, and as a function it is not allowed in a mapping"
    for child in children:
        yield from _values(child, names)


def _wrong_here(node: Mapping[str, Any], known: Collection[str]) -> Iterator[tuple[int, str]]:
    kind, at = node.get("type"), node.get("query_location", -1)
    if kind == "BASE_TABLE":
        name = node["table_name"]
        if node["catalog_name"] or node["schema_name"] or folded(name) not in known:
            full = ".".join(filter(None, (node["catalog_name"], node["schema_name"], name)))
            yield at, f"{full} is no relation that it may read; remedy: read source, or a stream of the mapping by its name"
    elif kind in ("RECURSIVE_CTE_NODE", "SHOW_REF", "COLUMN_DATA", "DELIM_GET", "PIVOT"):
        yield at, f"{str(kind).lower().replace('_', ' ')} is not allowed in a mapping"
    elif kind == "TABLE_FUNCTION":
        name = folded(node["function"].get("function_name", ""))
        if name not in TABLE_FUNCTIONS and name not in ("range", "generate_series"):
            yield at, f"the table function {name} is not allowed in a mapping"
    elif node.get("id") in OF_TODAY:
        yield at, f"values of the type {str(node['id']).lower()} depend on today; remedy: cast to time, or to timestamptz"
    if node.get("sample"):
        yield at, "a sample gives other rows each time"
    if "function_name" in node:
        yield from _wrong_function(node, at)


def _wrong_function(node: Mapping[str, Any], at: int) -> Iterator[tuple[int, str]]:
    name = folded(node["function_name"])
    if node.get("catalog") or node.get("schema") not in ("", "main", None):
        yield at, f"the function {name} is named with a schema; remedy: write it before its argument, as name(value)"
    elif name in COUNTED:
        place = COUNTED[name]
        counted = node["children"] if place < 0 else node["children"][place : place + 1]
        if not all(_is_small(child) for child in counted):
            yield at, f"{name} is allowed only with a count that is written out and at most {LONGEST:,}"
    elif len(node["children"]) < WITH_ALL.get(name, 0):
        yield at, f"{name} with fewer than {WITH_ALL[name]} arguments depends on today and is not allowed in a mapping"
    elif name not in FUNCTIONS and name not in TABLE_FUNCTIONS:
        yield at, f"the function {name} is not allowed in a mapping; remedy: see docs/mappings.md for what is"


def _is_small(node: Mapping[str, Any]) -> bool:
    value = node.get("value")
    if node.get("class") != "CONSTANT" or not isinstance(value, Mapping):
        return False
    number = value.get("value")
    return isinstance(number, int) and abs(number) <= LONGEST
