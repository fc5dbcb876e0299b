"""The Celery app: one queue per lane, and settings under which a lost or doubled message does no harm. Knows no document.

Every setting that differs from Celery's own has its reason: the ledger counts attempts and crashes, so Celery must neither retry nor put
back by itself; nothing is stored in Redis but messages on their way.
"""

from __future__ import annotations

from celery import Celery
from kombu.entity import Exchange, Queue

from docpipe.ledger import LANES, Lane
from docpipe.settings import Settings, read_settings

VISIBLE = 3600  # seconds; longer than any item runs. A message that comes twice is stale by its fence


def queue_name(lane: Lane) -> str:
    """The Redis list of a lane."""
    return f"docpipe.{lane}"


def make_app(settings: Settings) -> Celery:
    """The app on the broker of these settings."""
    exchange = Exchange("docpipe", "direct")
    made = Celery("docpipe", broker=settings.broker, include=["workers.tasks"])
    made.conf.update(
        result_backend=None,
        task_ignore_result=True,
        task_serializer="json",
        accept_content=["json"],
        event_serializer="json",
        # With late acknowledgement a worker that stops puts back what it holds; what became of it is in the ledger.
        task_acks_late=True,
        task_reject_on_worker_lost=False,
        task_acks_on_failure=True,
        task_acks_on_timeout=True,
        worker_prefetch_multiplier=1,
        # True would drop the tasks it cancels while the broker is away.
        worker_cancel_long_running_tasks_on_connection_loss=False,
        worker_soft_shutdown_timeout=25.0,
        worker_enable_soft_shutdown_on_idle=True,
        worker_hijack_root_logger=False,
        worker_send_task_events=False,
        worker_enable_remote_control=False,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_connection_timeout=4,
        broker_transport_options={
            "visibility_timeout": VISIBLE,
            "global_keyprefix": settings.prefix,
            "health_check_interval": 10,
            "socket_timeout": 30,
            "socket_connect_timeout": 5,
            "socket_keepalive": True,
            "queue_order_strategy": "round_robin",
        },
        visibility_timeout=VISIBLE,
        task_publish_retry=False,
        task_create_missing_queues=False,
        # A queue without a routing key of its own would be bound to the default one as well.
        task_queues=[Queue(queue_name(lane), exchange, routing_key=queue_name(lane)) for lane in LANES],
        task_default_queue=queue_name("merge"),
        enable_utc=True,
        timezone="UTC",
    )
    return made


app = make_app(read_settings())
