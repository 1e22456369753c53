"""Detectors of anomalies that compare patches of another network's maps with those of normal images, learned in closed form."""
