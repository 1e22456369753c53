"""From where on a unit of a code counts as active. A file of its own: models are trained and judged by it."""

SHARE = 0.1  # of a code's largest number: one that is above it, either way, is active, whatever the code's scale
LEAST = 0.01  # variance over images of a posterior mean: Burda, Grosse & Salakhutdinov 2016, ICLR, section 5.2
