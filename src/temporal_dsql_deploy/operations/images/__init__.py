"""Build the images, push them, list them."""
