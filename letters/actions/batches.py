"""Plans, releases, stops and finishes batches."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Case, Exists, F, OuterRef, Q, QuerySet, Value, When
from django.db.models.functions import Random

from cohort.models import ListEntry, Patient
from cohort.queries.holds import hold_reason, hold_reason_of
from cohort.rules import Channel, ReviewState
from letters.models import Batch, Campaign, Message, TemplateVersion
from letters.policies import check_can_send
from letters.rules import BatchState, MessageState
from shielding.accounts.models import Membership
