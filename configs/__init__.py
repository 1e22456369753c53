"""What a run can be told, and how that is read: load.py makes the frozen RunConfig, experiment.py several. The shipped configs
lie here.

May be touched: a YAML file by itself; a key in schema/, where its default stands once. The rest is asked by all other packages
and imports none of them.
"""
