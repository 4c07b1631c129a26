"""Models on arrays: the feature schema shared by trainer and server."""
