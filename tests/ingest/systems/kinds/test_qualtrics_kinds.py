"""Qualtrics: answers that become spam, come before their response, are given again, or are derived by the tool."""

from __future__ import annotations

from typing import Any

from tests.ingest.systems.kinds.current import Case, Day, every, shown

D1, D2, D3 = "2026-10-31", "2026-11-15", "2026-11-20"
AT, LATER = "2026-10-07 00:00:00", "2026-11-10 00:00:00"
BASE: Day = {
    "survey": [{"id": "SV", "survey_name": "After service"}],
    "question": [
        {"id": "QID1", "survey_id": "SV", "data_export_tag": "csat_1", "question_text": "How?", "question_type": "MC", "selector": "SAVR"},
        {"id": "QID2", "survey_id": "SV", "data_export_tag": "Q2", "question_text": "Recommend?", "question_type": "MC", "selector": "NPS"},
    ],
    "question_option": [
        {"key": str(key), "question_id": "QID1", "survey_id": "SV", "recode_value": str(key), "text": str(key)} for key in range(1, 6)
    ],
}
RESPONSE = {
    "id": "R",
    "survey_id": "SV",
    "status": "0",
    "finished": "1",
    "end_date": AT,
    "recorded_date": AT,
    "last_modified_date": AT,
    "user_language": "EN",
}
ANSWER = {"response_id": "R", "question_id": "QID1", "value": "5"}
SCORES = "survey_responses: response_id, question_key, score"

CASES = [
    Case(  # K2
        "the response alone is marked as spam",
        {
            D1: {"survey_response": [RESPONSE], "question_response": [ANSWER]},
            D2: {"survey_response": [{**RESPONSE, "status": "8", "last_modified_date": LATER}]},
        },
        {SCORES: []},
        BASE,
    ),
    Case(  # K2
        "spam that was none",
        {
            D1: {"survey_response": [{**RESPONSE, "status": "8"}], "question_response": [ANSWER]},
            D2: {"survey_response": [{**RESPONSE, "last_modified_date": LATER}]},
        },
        {SCORES: [("R", "QID1", 5)]},
        BASE,
    ),
    Case(
        "an answer before its response",
        {D1: {"question_response": [ANSWER]}, D2: {"survey_response": [RESPONSE]}},
        {SCORES: [("R", "QID1", 5)]},
        BASE,
    ),  # K3
    Case(  # K1
        "an answer given again, and one more a day later",
        {
            D1: {"survey_response": [RESPONSE], "question_response": [ANSWER]},
            D2: {"question_response": [{**ANSWER, "value": "2"}]},
            D3: {"question_response": [{**ANSWER, "question_id": "QID2", "value": "9"}]},
        },
        {SCORES: [("R", "QID1", 2), ("R", "QID2", 9)]},
        BASE,
    ),
    Case(  # K8
        "embedded data and the text next to a choice come later",
        {
            D1: {"survey_response": [RESPONSE], "question_response": [ANSWER]},
            D2: {
                "survey_embedded_data": [{"response_id": "R", "key": "ticket_id", "value": "T1"}],
                "question_response": [{**ANSWER, "question_id": "QID1_TEXT", "value": "", "text": "thanks"}],
            },
        },
        {"survey_responses: question_key, score, ticket_id, comment": [("QID1", 5, "T1", "thanks")]},
        BASE,
    ),
    Case(  # K12
        "what the tool derives or measures is no answer",
        {
            D1: {
                "survey_response": [RESPONSE],
                "question_response": [
                    {**ANSWER, "question_id": "QID2", "value": "9"},
                    *(
                        {**ANSWER, "question_id": name, "value": "3"}
                        for name in ("QID2_NPS_GROUP", "QID1_DO", "QID1_DO_2", "QID7_PAGE_SUBMIT", "QID8_BROWSER", "QID9_SENTIMENT_SCORE")
                    ),
                ],
            }
        },
        {SCORES: [("R", "QID2", 9)]},
        BASE,
    ),
    Case(  # K3
        "an invitation before its distribution",
        {
            D1: {"distribution_contact": [{"distribution_id": "EMD", "contact_id": "C", "sent_at": AT, "status": "Success"}]},
            D2: {"distribution": [{"id": "EMD", "request_type": "Invite", "survey_link_survey_id": "SV"}]},
        },
        {"survey_invitations: invitation_id, is_bounced": [("EMD:C", False)]},
        BASE,
    ),
]


@every(CASES)
def test_qualtrics(case: Case, order: str, ingest: Any) -> None:
    assert shown(ingest, "qualtrics", case, order) == case.rows
