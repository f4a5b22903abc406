"""Models of the coordinators app."""

from coordinators.models.care import NEEDS, OUTCOMES, REJECTIONS, Assignment, CheckIn, Need, Referral

__all__ = ["NEEDS", "OUTCOMES", "REJECTIONS", "Assignment", "CheckIn", "Need", "Referral"]
