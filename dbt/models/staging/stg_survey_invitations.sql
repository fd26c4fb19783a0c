{{ latest_version('survey_invitations', ['invitation_id']) }}
