{{ latest_version('survey_responses', ['response_id', 'question_key']) }}
