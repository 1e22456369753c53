"""The image itself, through a code: families of autoencoders, a file each, and what they share."""
