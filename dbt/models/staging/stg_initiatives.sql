{{ latest_version('initiatives', ['initiative_id'], 'lake') }}
