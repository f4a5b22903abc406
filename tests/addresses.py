"""What tests of pages say about addresses: nobody's name may be in one."""

import re
from html import unescape
from typing import Any
from urllib.parse import unquote_plus


def addresses(response: Any) -> list[str]:
    """Returns every address that an answer leads to: its links, its forms, its files, and where it redirects."""
    found = re.findall(r"""\b(?:href|src|action|formaction)=["']([^"']*)["']""", response.content.decode())
    return [unquote_plus(unescape(address)) for address in [*found, response.headers.get("Location", "")]]


def addresses_with(response: Any, *names: str) -> list[str]:
    """Returns the addresses in an answer that hold one of some names, in whatever case."""
    return [address for address in addresses(response) if any(name.lower() in address.lower() for name in names)]
