"""What the worker does at its start."""

import gc

from celery.signals import celeryd_after_setup


def test_the_worker_looks_for_cycles_no_oftener_than_the_web() -> None:
    before = gc.get_threshold()
    try:
        celeryd_after_setup.send(sender="worker@example", instance=None, conf=None)
        assert gc.get_threshold() == (20_000, 50, 100)
        assert gc.get_freeze_count() > 0
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
