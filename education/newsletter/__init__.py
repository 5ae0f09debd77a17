"""Lessons by e-mail for whoever asks. It knows no patient."""
