"""Networks that label pixels, one file a paper family: image -> logits of K classes at each place."""
