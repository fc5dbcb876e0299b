"""Celery workers over the docpipe library."""
