"""HubSpot: what comes late, changes or goes reaches what was delivered before, in whatever order the days arrive."""

from __future__ import annotations

from typing import Any

from tests.ingest.systems.kinds.histories import History, Rows, check, each_order
from tests.ingest.systems.kinds.hubspot_rows import AGAIN, ANSWER, AT, CALL, COMPANY, CONTACT, D1, D2, LATER, MERGED, STAGES, TICKET, by, of

HISTORIES = [
    History(
        "the contact comes later",
        {D1: {"ticket": [TICKET], "ticket_contact": by("2")}, D2: {"contact": [{**CONTACT, "property_associatedcompanyid": "20"}]}},
        "tickets",
        "account_id, contact_id",
        [("20", "2")],
    ),
    History(
        "the contact joins a company later",
        {
            D1: {"ticket": [TICKET], "ticket_contact": by("2"), "contact": [CONTACT]},
            D2: {"contact": [{**MERGED, "property_associatedcompanyid": "20"}], "company": [COMPANY]},
        },
        "tickets",
        "account_id",
        [("20",)],
    ),
    History(
        "such a contact is no account any more",
        {D1: {"contact": [CONTACT]}, D2: {"contact": [{**MERGED, "property_associatedcompanyid": "20"}], "company": [COMPANY]}},
        "accounts",
        "account_id",
        [("20",)],
    ),
    History(
        "the ticket moves to another company",
        {D1: {"ticket": [TICKET], "ticket_company": of("10")}, D2: {"ticket": [AGAIN], "ticket_company": of("20")}},
        "tickets",
        "account_id",
        [("20",)],
    ),
    History(
        "only the association comes again",
        {D1: {"ticket": [TICKET], "ticket_company": of("10")}, D2: {"ticket_company": of("20")}},
        "tickets",
        "account_id",
        [("20",)],
    ),
    History(
        "the company is taken away",
        {
            D1: {"ticket": [TICKET], "ticket_company": of("10"), "ticket_contact": by("2")},
            D2: {"ticket": [AGAIN], "ticket_contact": by("2")},
        },
        "tickets",
        "account_id",
        [("2",)],
    ),
    History(
        "associations before their ticket", {D1: {"ticket_company": of("10")}, D2: {"ticket": [TICKET]}}, "tickets", "account_id", [("10",)]
    ),
    History(
        "a stage gets its state later",
        {D1: {"ticket": [{**TICKET, "property_hs_pipeline_stage": "4"}]}, D2: {"ticket_pipeline_stage": STAGES}},
        "tickets",
        "ticket_state",
        [("closed",)],
    ),
    History(
        "an older version that comes later says nothing",
        {D1: {"ticket": [{**AGAIN, "property_hs_ticket_priority": "HIGH"}]}, D2: {"ticket": [TICKET]}},
        "tickets",
        "priority",
        [("high",)],
    ),
    History(
        "deleted after it counted",
        {D1: {"ticket": [TICKET]}, D2: {"ticket": [{**AGAIN, "is_deleted": "true"}]}},
        "tickets",
        "ticket_state, is_deleted",
        [("deleted", True)],
    ),
    History(
        "a call linked later",
        {
            D1: {"engagement_call": [CALL]},
            D2: {
                "ticket_engagement": [{"ticket_id": "1", "engagement_id": "7"}],
                "engagement_contact": [{"contact_id": "2", "engagement_id": "7"}],
            },
        },
        "interactions",
        "ticket_id, account_id, purpose",
        [("1", "2", "service")],
    ),
    History(
        "a call moves to another contact",
        {
            D1: {"engagement_call": [CALL], "engagement_contact": [{"contact_id": "2", "engagement_id": "7"}]},
            D2: {"engagement_contact": [{"contact_id": "3", "engagement_id": "7"}]},
        },
        "interactions",
        "contact_id",
        [("3",)],
    ),
    History(
        "a call deleted in the source is taken back",
        {
            D1: {"engagement_call": [CALL]},
            D2: {"engagement_call": [{**CALL, "_fivetran_deleted": "TRUE", "property_hs_lastmodifieddate": LATER}]},
        },
        "interactions",
        "interaction_id",
        [],
    ),
    History(
        "so is an answer",
        {
            D1: {"feedback_submission": [ANSWER]},
            D2: {"feedback_submission": [{**ANSWER, "_fivetran_deleted": "true", "property_hs_lastmodifieddate": LATER}]},
        },
        "survey_responses",
        "response_id",
        [],
    ),
    History(
        "an owner changes the team",
        {
            D1: {
                "owner": [{"owner_id": "9", "type": "PERSON", "created_at": AT, "updated_at": AT}],
                "team": [{"id": "5", "name": "billing"}, {"id": "6", "name": "returns"}],
                "owner_team": [{"owner_id": "9", "team_id": "5", "is_team_primary": "true"}],
            },
            D2: {"owner_team": [{"owner_id": "9", "team_id": "6", "is_team_primary": "true"}]},
        },
        "agents",
        "agent_id, team_id",
        [("9", "returns")],
    ),
    History(
        "a merged contact",
        {
            D1: {"contact": [CONTACT, {**CONTACT, "id": "3"}]},
            D2: {"contact": [{**MERGED, "property_hs_merged_object_ids": "3;4"}, {**MERGED, "id": "3", "_fivetran_deleted": "true"}]},
        },
        "account_merges",
        "from_account_id, to_account_id",
        [("3", "2"), ("4", "2")],
    ),
    History(
        "merged contacts with their moments, into one with a company",
        {
            D1: {
                "contact": [
                    {
                        **CONTACT,
                        "property_associatedcompanyid": "20",
                        "property_hs_calculated_merged_vids": "3:1767607200000;4:1767693600000",
                        "property_hs_merged_object_ids": "3;4",
                    }
                ]
            }
        },
        "account_merges",
        "from_account_id, to_account_id, strftime(merged_at, '%d %H')",
        [("3", "20", "05 10"), ("4", "20", "06 10")],
    ),
    History(
        "the surviving contact joins a company later",
        {
            D1: {"contact": [{**CONTACT, "property_hs_merged_object_ids": "3"}]},
            D2: {"contact": [{**MERGED, "property_hs_merged_object_ids": "3", "property_associatedcompanyid": "20"}]},
        },
        "account_merges",
        "from_account_id, to_account_id",
        [("3", "20")],
    ),
    History(
        "a list of merges as older exports have it",
        {
            D1: {"contact_merge_audit": [{"canonical_vid": "2", "vid_to_merge": "3", "timestamp": AT}]},
            D2: {"contact": [{**CONTACT, "property_associatedcompanyid": "20"}]},
        },
        "account_merges",
        "from_account_id, to_account_id",
        [("3", "20")],
    ),
    History(
        "a merged company",
        {
            D1: {"company": [COMPANY]},
            D2: {"company": [{**COMPANY, "property_hs_merged_object_ids": "10", "property_hs_lastmodifieddate": LATER}]},
        },
        "account_merges",
        "from_account_id, to_account_id",
        [("10", "20")],
    ),
    History(
        "a contact that was never merged",
        {D1: {"contact": [{**CONTACT, "property_hs_merged_object_ids": ""}]}},
        "account_merges",
        "from_account_id",
        [],
    ),
    History(
        "of several companies and contacts the smallest number counts, not the first in the alphabet",
        {
            D1: {
                "ticket": [TICKET],
                "ticket_company": [{"ticket_id": "1", "company_id": "10"}, {"ticket_id": "1", "company_id": "9"}],
                "ticket_contact": [{"ticket_id": "1", "contact_id": "1001"}, {"ticket_id": "1", "contact_id": "151"}],
            }
        },
        "tickets",
        "account_id, contact_id",
        [("9", "151")],
    ),
    History(
        "so it is with a call",
        {
            D1: {
                "engagement_call": [CALL],
                "engagement_company": [{"engagement_id": "7", "company_id": "10"}, {"engagement_id": "7", "company_id": "9"}],
                "engagement_contact": [{"engagement_id": "7", "contact_id": "1001"}, {"engagement_id": "7", "contact_id": "151"}],
                "ticket_engagement": [{"engagement_id": "7", "ticket_id": "20"}, {"engagement_id": "7", "ticket_id": "3"}],
            }
        },
        "interactions",
        "account_id, contact_id, ticket_id",
        [("9", "151", "3")],
    ),
]

STATES = {  # stages on consecutive days: reopenings, first and last day of closing
    "1 4 1 3 1 4": (1, 2, 6),
    "1 4 3 4 1 5": (2, 2, 6),
    "1 4 5": (0, 2, 2),
    "1 4 1": (1, 2, 2),
    "1 4 77 4": (1, 2, 4),  # a stage that is not in the list of stages is not closed
    "1 3": (0, None, None),
}


def solved(stages: str, days: int) -> History:
    rows: Rows = [
        {"ticket_id": "1", "name": "hs_pipeline_stage", "value": stage, "timestamp_instant": f"2026-01-{day:02} 08:00:00"}
        for day, stage in enumerate(stages.split(), start=1)
    ]
    size = -(-len(rows) // days)
    parts = {f"2026-02-0{at + 1}": {"ticket_property_history": rows[at * size : (at + 1) * size]} for at in range(days)}
    ticket = {"ticket": [{**TICKET, "property_createdate": "2026-01-01 08:00:00"}], "ticket_pipeline_stage": STAGES}
    return History(
        f"{stages} in {days}",
        {**parts, "2026-02-01": {**parts["2026-02-01"], **ticket}},
        "tickets",
        "reopen_count::int, day(first_solved_at)::int, day(last_solved_at)::int",
        [STATES[stages]],
    )


@each_order(HISTORIES + [solved(stages, days) for stages in STATES for days in (1, 2)])
def test_the_current_rows_are_right(history: History, order: str, ingest: Any) -> None:
    check(ingest, "hubspot", history, order)
