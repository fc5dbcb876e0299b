"""A small model of CLIP's kind that tells drawn pages apart, the script that trains it, and the pages."""
