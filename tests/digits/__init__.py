"""A tiny vision-language model that really reads, the script that trains it, and the pages that it reads."""
