"""Connectors: what other systems hold is fetched into the landing folder, where the door finds it like any delivery.

Order of a fetch: `sources` (the YAML), `loads` (files, journal, what makes a set visible), then one reader a kind: `database`,
`objects`, `rest` with `zendesk` and `shopify`; `fetch` puts them together. Tables of a REST system are declared in its YAML.
It may read settings, errors and the layout of the landing folder. It must not know the door, what comes after it, or an
orchestrator, judge a value, or hold a secret outside `SecretStr`. Its libraries are the extra `connectors`.
"""
