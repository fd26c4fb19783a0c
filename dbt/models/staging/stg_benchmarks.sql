{{ latest_version('benchmarks', ['metric_id', 'benchmark_year', 'benchmark_source'], 'lake') }}
