"""Whether data is what the Schema says, and how it differs from earlier data: stops a run, or says so.

May be touched: what counts as an anomaly or a drift. `resolver` finds the earlier statistics.
"""
