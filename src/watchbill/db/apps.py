"""Names the app `watchbill` to Django."""

from django.apps import AppConfig


class WatchbillConfig(AppConfig):
    """The one app of the product."""

    name = "watchbill.db"
    label = "watchbill"
    verbose_name = "Watchbill"
    default_auto_field = "django.db.models.BigAutoField"
