{{ latest_version('recovery_actions', ['recovery_action_id'], 'lake') }}
