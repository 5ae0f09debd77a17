"""How staff come in: two steps, what they prove anew, and when they are out again."""
