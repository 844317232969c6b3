"""What is done with scalar expressions: meaning, derivatives, simplification, complex pairs."""
