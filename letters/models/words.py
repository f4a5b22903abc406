"""Words for channels and holds, for fields and pages."""

from cohort.rules import Audience, Channel, HoldReason

CHANNELS = [(Channel.LETTER.value, "Letter"), (Channel.SMS.value, "Text message")]
AUDIENCES = [
    (Audience.LISTED.value, "People on the list"),
    (Audience.REMOVED.value, "People taken off the list, who have been told"),
]
HOLD_REASONS = [
    (HoldReason.DIED.value, "Has died"),
    (HoldReason.REPORTED_DEAD.value, "Reported to have died"),
    (HoldReason.RESTRICTED.value, "Restricted record"),
    (HoldReason.RECORD_INVALID.value, "Record is invalid"),
    (HoldReason.MOVED_AWAY.value, "Moved away or left the NHS"),
    (HoldReason.OFF_LIST.value, "No longer on the list"),
    (HoldReason.NOT_REVIEWED.value, "Not reviewed by their practice"),
    (HoldReason.BACK_ON_LIST.value, "On the list again"),
    (HoldReason.REMOVAL_NOT_TOLD.value, "Not told of their removal by a clinician"),
    (HoldReason.ASKED_NOT_TO_BE_CONTACTED.value, "Asked not to be contacted"),
    (HoldReason.UNSAFE_CHANNEL.value, "Not safe to contact this way"),
    (HoldReason.LETTER_RETURNED.value, "A letter came back from this address"),
    (HoldReason.NUMBER_UNDELIVERABLE.value, "Texts do not reach this number"),
    (HoldReason.NO_FIXED_ABODE.value, "No fixed abode"),
    (HoldReason.NO_USABLE_ADDRESS.value, "No usable address"),
    (HoldReason.NO_USABLE_NUMBER.value, "No usable mobile number"),
]
