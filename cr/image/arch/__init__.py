"""What the image format leaves to the architecture, one module each, all with the same names.

FORMAT       an ArchFormat: the values and classes below in one hand
HeaderArch   Thread   Cpu   MmContext     the records of one architecture
"""
