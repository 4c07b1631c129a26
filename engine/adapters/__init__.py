"""Adapters behind the ports: the only modules of the engine that touch clocks, randomness, threads and files."""
