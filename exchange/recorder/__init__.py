"""Recording a venue: raw frames and REST answers with the instants at which they came, and reading them again."""
