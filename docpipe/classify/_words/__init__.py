"""The parts of the classifier `words`: what to look for, what is seen, what it is worth."""
