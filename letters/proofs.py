"""Makes a template's letters for every sort of person, and looks at them as they were made. (Being written.)"""

from letters.models import TemplateVersion, Translation


def proof_problems(words: TemplateVersion | Translation) -> list[str]:
    """Returns what is wrong with what these words make, fit to show; empty where all is well."""
    return []
