"""Names of the signatures and outputs that autoencoders have in common."""

ENCODE, RECONSTRUCT, DECODE, ANOMALY_SCORE, FIGURES = "encode", "reconstruct", "decode", "anomaly_score", "figures"
INPAINT = "inpaint"
ACTIVE = "active"
IMAGES = {"images": "image"}  # what many of them give
