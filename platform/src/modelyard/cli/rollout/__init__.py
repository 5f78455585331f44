"""`modelyard rollout` and `modelyard simulate`: watch a rollout, tell it what to do, try its gates on paper."""
