{{ latest_version('referrals', ['referral_id'], 'lake') }}
