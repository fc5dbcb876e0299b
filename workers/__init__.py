"""The queue's workers: `celery -A workers worker -Q docpipe.prepare`, and `python -m workers dispatcher`. Thin: the work is docpipe's."""

from workers.app import app

__all__ = ["app"]
