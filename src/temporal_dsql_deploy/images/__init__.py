"""Container images: what they are made of, the engine that makes them, the registry they go to."""
