"""Who prints and posts letters and sends texts, and how much a day."""

from django.db import models
from django.db.models import Q

from letters.models.words import CHANNELS


class Supplier(models.Model):
    """A print supplier or SMS provider. One of each channel is in use: what is released now goes to it.

    `setbacks` counts how often in a row it took nothing; it is left alone until `rests_until`.
    """

    class Transport(models.TextChoices):
        FOLDER = "FOLDER", "A folder that the supplier collects"
        PRINT = "PRINT", "Print supplier"
        NOTIFY = "NOTIFY", "GOV.UK Notify"
        NULL = "NULL", "Nowhere: for measuring"

    slug = models.SlugField(max_length=50, unique=True)
    name = models.CharField(max_length=100)
    channel = models.CharField(max_length=8, choices=CHANNELS)
    transport = models.CharField(max_length=10, choices=Transport)
    in_use = models.BooleanField(default=False)
    daily_capacity = models.PositiveIntegerField(
        null=True, blank=True, help_text="How many it takes on one day (UK). Empty: as many as we can make."
    )
    takes_from = models.TimeField(null=True, blank=True, help_text="It takes nothing before this time of the day (UK).")
    takes_until = models.TimeField(null=True, blank=True, help_text="It takes nothing from this time of the day (UK).")
    days_to_deliver = models.PositiveSmallIntegerField(
        default=2, help_text="Working days from hand-over to the door, until its own receipts say better."
    )

    setbacks = models.PositiveIntegerField(default=0, db_default=0, editable=False)
    rests_until = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["channel"], condition=Q(in_use=True), name="one_supplier_of_a_channel_in_use"
            ),
            models.CheckConstraint(
                condition=Q(takes_from__isnull=True, takes_until__isnull=True)
                | Q(takes_from__isnull=False, takes_until__isnull=False),
                name="supplier_takes_from_and_until",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class SupplierDay(models.Model):
    """How many messages were released to a supplier on one day (UK): what its capacity is held against."""

    supplier = models.ForeignKey(Supplier, models.PROTECT, related_name="days")
    day = models.DateField()
    taken = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["supplier", "day"], name="one_count_a_supplier_and_day")]

    def __str__(self) -> str:
        return f"{self.supplier_id} {self.day}"
