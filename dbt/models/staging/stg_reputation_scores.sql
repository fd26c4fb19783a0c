{{ latest_version('reputation_scores', ['score_date', 'reputation_source', 'audience'], 'lake') }}
