{{ latest_version('staff_surveys', ['team_id', 'quarter_start_date', 'item_key'], 'lake') }}
