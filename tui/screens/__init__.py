"""Full screens of the workstation."""
