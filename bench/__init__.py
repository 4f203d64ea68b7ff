"""Measurements: one file per number. Host time is allowed here, and nowhere else."""
