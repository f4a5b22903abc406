"""Writes of the coordinators app."""

from coordinators.actions.assignments import assign_waiting, end_finished
from coordinators.actions.check_ins import FormAlreadyUsed, HasDied, NothingSaidYet, NotOnCaseload, log_check_in
from coordinators.actions.referrals import (
    AlreadyAnswered,
    ReferralNotFound,
    accept,
    close,
    find_authorities,
    record_download,
    reject,
)

__all__ = [
    "AlreadyAnswered",
    "FormAlreadyUsed",
    "HasDied",
    "NotOnCaseload",
    "NothingSaidYet",
    "ReferralNotFound",
    "accept",
    "assign_waiting",
    "close",
    "end_finished",
    "find_authorities",
    "log_check_in",
    "record_download",
    "reject",
]
