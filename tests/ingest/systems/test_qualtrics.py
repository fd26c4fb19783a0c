"""A Qualtrics export becomes answers on their scales and invitations; test answers and reminders count nowhere."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from tests.ingest.systems.commerce import broken, counts, deliver, waiting

AT = "2026-01-05 12:00:00.000000"
SURVEY = {
    "survey": [{"id": "SV_1", "survey_name": "Post-chat relationship 2026"}],
    "question": [
        {
            "id": "QID1",
            "survey_id": "SV_1",
            "data_export_tag": "CSAT_1",
            "question_text": "How was it?",
            "question_type": "MC",
            "selector": "SAVR",
        },
        {
            "id": "QID2",
            "survey_id": "SV_1",
            "data_export_tag": "Q2",
            "question_text": "Recommend?",
            "question_type": "MC",
            "selector": "NPS",
        },
        {"id": "QID3", "survey_id": "SV_1", "data_export_tag": "Q3", "question_text": "Anything?", "question_type": "TE", "selector": "ML"},
        {
            "id": "QID4",
            "survey_id": "SV_1",
            "data_export_tag": "Q4",
            "question_text": "Rate each",
            "question_type": "Matrix",
            "selector": "Likert",
        },
    ],
    "question_option": [
        {"key": str(key), "question_id": "QID1", "survey_id": "SV_1", "recode_value": str(key), "text": text}
        for key, text in ((1, "bad"), (2, "fair"), (5, "good"))
    ],
}
RESPONSE = {
    "survey_id": "SV_1",
    "status": "0",
    "finished": "1",
    "end_date": AT,
    "recorded_date": AT,
    "last_modified_date": AT,
    "user_language": "DE",
}


def answer(response: str, question: str, **more: str) -> dict[str, object]:
    return {"_fivetran_id": f"{response}{question}", "response_id": response, "question_id": question, **more}


def numbers(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return [tuple(float(value) if isinstance(value, Decimal) else value for value in row) for row in rows]


def test_answers_lie_on_the_scale_of_their_options(ingest: Any) -> None:
    deliver(
        ingest,
        "qualtrics",
        **SURVEY,
        survey_response=[{**RESPONSE, "id": "R_1", "distribution_channel": "anonymous"}, {**RESPONSE, "id": "R_2", "finished": "0"}],
        question_response=[
            answer("R_1", "QID1", value="5", text="good"),
            answer("R_1", "QID1_TEXT", text="thank you"),
            answer("R_1", "QID2", value="9"),
            answer("R_1", "QID3", value="more colours"),
            answer("R_1", "QID4", value="2", sub_question_key="1"),
            answer("R_1", "QID4", value="3", sub_question_key="2"),
            answer("R_2", "QID1_TEXT", text="only words"),
        ],
        survey_embedded_data=[
            {"response_id": "R_1", "key": "account_id", "value": "A1"},
            {"response_id": "R_1", "key": "Ticket_ID", "value": "T1"},
        ],
    )
    report = ingest.walk()
    assert report.refusals == []
    columns = "response_id, question_key, survey_metric, scale_min, scale_max, score, choice, comment"
    assert numbers(ingest.all(f"select {columns} from lake.survey_responses order by 1, 2")) == [
        ("R_1", "QID1", "csat", 1.0, 5.0, 5.0, "good", "thank you"),
        ("R_1", "QID2", "nps", 0.0, 10.0, 9.0, None, None),
        ("R_1", "QID3", "other", None, None, None, None, "more colours"),
        ("R_1", "QID4_1", "other", None, None, 2.0, None, None),
        ("R_1", "QID4_2", "other", None, None, 3.0, None, None),
        ("R_2", "QID1_text", "other", None, None, None, None, "only words"),
    ]
    ids = "response_id, survey_kind, account_id, ticket_id, channel, language_code, is_partial"
    assert ingest.all(f"select distinct {ids} from lake.survey_responses order by 1") == [
        ("R_1", "relationship", "A1", "T1", "web_form", "de", False),
        ("R_2", "relationship", None, None, None, "de", True),
    ]
    assert "qualtrics/question_response: 1 records excluded: text next to a choice, carried with it" in report.warnings


def test_previews_and_spam_are_left_out(ingest: Any) -> None:
    states = {"R_1": "0", "R_2": "1", "R_3": "2", "R_4": "8", "R_5": "16"}
    deliver(
        ingest,
        "qualtrics",
        **SURVEY,
        survey_response=[{**RESPONSE, "id": name, "status": status} for name, status in states.items()],
        question_response=[answer(name, "QID1", value="2") for name in states],
    )
    assert ingest.walk().refusals == []
    assert counts(ingest)["question_response"] == (5, 2, 3, 0)
    assert ingest.all("select response_id from lake.survey_responses order by 1") == [("R_1",), ("R_5",)]


def test_an_answer_waits_for_its_response_and_without_its_question_is_quarantined(ingest: Any) -> None:
    ingest.assumptions = ingest.assumptions.model_copy(update={"quarantine_threshold_rate": Decimal(1)})
    deliver(
        ingest,
        "qualtrics",
        **SURVEY,
        survey_response=[{**RESPONSE, "id": "R_1"}],
        question_response=[answer("R_1", "QID9", value="2"), answer("R_9", "QID1", value="2"), answer("R_1", "QID1", value="7")],
    )
    assert broken(ingest.walk()) == [
        ("question_response", "question_key", "required"),
        ("question_response", "score", "scale"),
    ]
    assert waiting(ingest) == {"question_response": 1}


def test_an_invitation_is_a_sent_mail_and_its_answer_finds_it(ingest: Any) -> None:
    contact = {"distribution_id": "EMD_1", "sent_at": AT}
    deliver(
        ingest,
        "qualtrics",
        **SURVEY,
        survey_response=[{**RESPONSE, "id": "R_1", "distribution_channel": "email"}],
        question_response=[answer("R_1", "QID1", value="2")],
        distribution=[
            {"id": "EMD_1", "request_type": "Invite", "survey_link_survey_id": "SV_1"},
            {"id": "EMD_2", "request_type": "Reminder", "survey_link_survey_id": "SV_1"},
        ],
        directory_contact=[{"id": "CID_1", "ext_ref": "C1"}],
        distribution_contact=[
            {
                **contact,
                "contact_id": "CID_1",
                "status": "SurveyFinished",
                "response_id": "R_1",
                "opened_at": AT,
                "response_started_at": AT,
            },
            {**contact, "contact_id": "CID_2", "status": "HardBounce"},
            {**contact, "contact_id": "CID_3", "status": "Pending", "sent_at": ""},
            {**contact, "contact_id": "CID_1", "distribution_id": "EMD_2", "status": "Success"},
        ],
    )
    assert ingest.walk().refusals == []
    assert counts(ingest)["distribution_contact"] == (4, 2, 2, 0)
    columns = "invitation_id, contact_id, survey_kind, channel, delivered_at is not null, started_at is not null, is_bounced"
    assert ingest.all(f"select {columns} from lake.survey_invitations order by 1") == [
        ("EMD_1:CID_1", "C1", "relationship", "email", True, True, False),
        ("EMD_1:CID_2", "CID_2", "relationship", "email", False, False, True),
    ]
    assert ingest.all("select invitation_id, contact_id, invited_at is not null from lake.survey_responses") == [
        ("EMD_1:CID_1", "C1", True)
    ]
