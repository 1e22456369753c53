"""What Trainer leaves for TensorBoard, in TFX's place for it: the artifact `model_run`. One file a kind of thing that is looked at.

.                   hyperparameters (HParams), the figures of the epoch that is kept, the graph, embeddings for the projector
train, validation   figures by epoch, counted from 1; images
PHASE/train, ...    figures of what is trained of a network to prepare it, such as a pair of layers
"""
