"""The execution modes, by name: one file each, all with the same parts."""
