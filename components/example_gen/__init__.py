"""Data, from where it lies to Examples in three splits: one file a source, found by its scheme (`sources` has the rules).

component.py takes what TFX hands over, write.py and records.py write. May be touched: a source by itself; it runs again where it is
read, and what follows where its examples become others. How an example is assigned to its split (splits.py) must stay.
"""
