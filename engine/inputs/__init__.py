"""What reached a desk through its ports, recorded so that the same desk can be run over it again."""
