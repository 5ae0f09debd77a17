"""The library: public knowledge about the foot and the knee. It never holds anything about a patient."""
