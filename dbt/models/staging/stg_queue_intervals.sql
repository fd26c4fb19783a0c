{{ latest_version('queue_intervals', ['queue', 'channel', 'interval_started_at']) }}
