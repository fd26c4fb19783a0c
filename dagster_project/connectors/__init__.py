"""Connectors: what other systems hold is fetched into the landing folder, where ingest finds it like any delivery.

Order of a fetch: `sources` (the YAML), `loads` (the files of a set), `journals` (what makes it visible), then one reader a kind:
`database`, `objects`, and `rest` over `http` with `positions`, `flattening`, `zendesk` and `shopify`; `fetch` puts them together.
It may read settings, errors and the layout of the landing folder. It must not know ingest, what comes after it, or an
orchestrator, judge a value, or hold a secret outside `SecretStr`. Its libraries are the extra `connectors`.
"""

__all__ = ["fetch", "journals"]
