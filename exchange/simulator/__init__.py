"""A deterministic exchange with one core and two fronts: in memory and over loopback sockets."""
