"""How autoencoders are judged: without labels, against what can be had without a network. A file for each family that is judged by
something of its own."""
