"""Faults on the wire of the simulated venue: what a plan asks for, and the doing of it."""
