"""Names of features, splits, signatures and artifact properties, once."""

# Raw schema: what every source writes and every served tf.Example holds.
IMAGE_ENCODED = "image/encoded"  # bytes: PNG or JPEG
EXAMPLE_ID = "example/id"  # bytes, stable: decides the split
EXAMPLE_ID_BEFORE = "image/id"  # what it was called when only images were read; TFRecords and pinned schemas may still say so
TEXT = "text/bytes"  # bytes: UTF-8
TEXT_CHARACTERS, TEXT_WORDS = "text/characters", "text/words"  # int64; for statistics, never for a model
LABEL = "label"  # int64, absent when unlabelled
ANOMALY = "anomaly"  # int64, 1 where the label is none of data.inliers; absent without inliers
# What else may be learned, where the data has it; components.targets has the kinds and their features.
LABELS = "labels"  # which of several classes an image has
MASK = "mask"  # bytes: grey PNG of the image's size whose values are classes
OBJECTS = "objects"  # boxes and their classes
CAPTIONS = "captions"  # bytes: sentences
IMAGE_HEIGHT, IMAGE_WIDTH = "image/height", "image/width"  # int64, px; with the next two for statistics, never for a model
IMAGE_CHANNELS = "image/channels"  # int64, as encoded
IMAGE_BRIGHTNESS = "image/brightness"  # float32, mean of all values in 0..255

# Transformed features.
PIXELS = "pixels"  # bytes: tf.io.serialize_tensor of uint8 [height, width, channels]
TOKENS = "tokens"  # int64 [length]: ids of components.inputs.text

# Files among the assets of Transform's graph: moments of the training split, see components.transform.moments.
CHANNEL_MOMENTS = "channel_moments.npz"  # of a pixel's channels
IMAGE_MOMENTS = "image_moments.npz"  # of a whole image's values

COPIES = "copies"  # split of AugmentedCopies: the training split once an epoch of copies

# What training batches hold beside their targets.
CLEAN = "clean"  # float32 [N, height, width, channels], 0..255: the pixels without the noise that augmentation put in

TRAIN, VALIDATION, TEST = SPLITS = ("train", "validation", "test")
SPLIT_WORDS = {  # what splits are called, in small letters, by sources, folders, files and tables -> ours
    "train": TRAIN, "training": TRAIN,
    "validation": VALIDATION, "valid": VALIDATION, "val": VALIDATION, "dev": VALIDATION, "eval": VALIDATION,
    "test": TEST, "testing": TEST,
}  # fmt: skip

# Signatures (design: the served model takes raw bytes, a tf.Example or plain pixels, never a prepared tensor).
SERVING_DEFAULT = "serving_default"
IMAGE_BYTES = "image_bytes"
TEXT_END = "text"
CLASSIFY = "classify"

# Files and folders of a Model artifact beside Format-Serving.
KERAS_NAME, KERAS_ENDING = "model", ".keras"
KERAS_FILE = KERAS_NAME + KERAS_ENDING
CARD_FILE = "card.json"
VARIANTS_IN_EXPORT = "assets.extra/variants"  # files of what the model was converted to; the card there says what they are
CARD_IN_EXPORT = "assets.extra/hubel.json"  # the same, in the SavedModel's folder

ANSWERS = "answers.pb"  # file of an InfraBlessing: measures of what the model answers to test examples, for Pusher

# Custom properties of artifacts.
CLASS_NAMES = "class_names"  # Examples: JSON list, index = label
TARGETS = "targets"  # Examples: JSON map, further target -> names of its classes; see components.targets
QUARANTINED = "quarantined"  # Examples: JSON map, reason -> count
UNLABELLED = "unlabelled"  # Examples: JSON map, why an image has no label although others do -> count
BARE = "bare"  # Examples: how many images are kept although they have no label and others do
COUNTS = "counts"  # Examples: JSON map, split -> images
CLASSES = "classes"  # Examples: JSON map, split -> class name -> images; empty without labels
CHANGES = "changes"  # Examples: JSON map, what was done to images -> how many; see components.example_gen.pictures
MAPS = "maps"  # Examples: JSON map, target such as mask -> split -> class name, "" for none -> pixels
DUPLICATES = "duplicates"  # Examples: how many images stand in more than one split
DRIFT = "drift"  # ExampleAnomalies: JSON map, feature -> divergence of the training split from that of earlier data
SKEW = "skew"  # ExampleAnomalies: JSON map, feature -> divergence of the training split from the test split
METRICS = "metrics"  # ModelEvaluation: JSON map, of the whole test split
INTERVALS = "intervals"  # ModelEvaluation: JSON map, figure -> [low, high]; see components.evaluator.intervals
DIFFERENCES = "differences"  # ModelEvaluation: JSON list, of figures from those of other models; see components.evaluator.noise
SLICES = "slices"  # ModelEvaluation: JSON list, the same of parts of it; see components.evaluator.slices
SERVERS = "servers"  # InfraBlessing: names of those that were asked, by commas
REASON = "reason"  # ModelBlessing, InfraBlessing: the verdict in words
MISSED = "missed"  # ModelBlessing: JSON list of components.evaluator.miss.Miss, without their texts
VARIANTS = (
    "variants"  # Model that Converter wrote, and the card in its SavedModel: JSON list of components.converter.verdict.Variant
)
COMPARISON = "comparison"  # ModelEvaluation: what the task compared the model with, in words
