"""What kind of place a text was typed in, as far as window and address tell. Pure."""

import re
from urllib.parse import urlsplit

from keywords.grade import Place

_SEARCH_HOSTS = re.compile(
    r"(^|\.)(google\.[a-z.]+|bing\.com|duckduckgo\.com|ecosia\.org|startpage\.com|qwant\.com"
    r"|search\.yahoo\.com|search\.brave\.com|swisscows\.com)$"
)
_CHAT_HOSTS = re.compile(
    r"(^|\.)(web\.whatsapp\.com|discord\.com|teams\.microsoft\.com|messenger\.com|slack\.com"
    r"|web\.telegram\.org|snapchat\.com|chat\.google\.com|character\.ai|chatgpt\.com|chat\.openai\.com)$"
)
_DOCUMENT_HOSTS = re.compile(r"(^|\.)(docs\.google\.com|onedrive\.live\.com|notion\.so)$")
_SEARCH_TITLES = re.compile(
    r"( - |: )?(Google Search|Search - Microsoft Bing|at DuckDuckGo|Ecosia)\b", re.IGNORECASE
)
_CHAT = re.compile(
    r"whatsapp|discord|teams|slack|telegram|signal|element|pidgin|hexchat|messenger|skype|zoom",
    re.IGNORECASE,
)
_DOCUMENT = re.compile(
    r"winword|soffice|libreoffice|writer|wordpad|notepad|mousepad|gedit|kate|pluma|xed|abiword"
    r"|onenote|powerpnt|excel|gnome-text-editor|leafpad|featherpad|code",
    re.IGNORECASE,
)


def venue(*, application: str, title: str, address: str) -> Place:
    """The kind of place. A known address decides; else the program, else the title."""
    if address:
        try:
            host = urlsplit(address).hostname or ""
        except ValueError:
            host = ""
        for pattern, place in (
            (_CHAT_HOSTS, Place.CHAT),
            (_DOCUMENT_HOSTS, Place.DOCUMENT),
            (_SEARCH_HOSTS, Place.SEARCH),
        ):
            if pattern.search(host):
                return place
        return Place.UNKNOWN
    if _CHAT.search(application):
        return Place.CHAT
    if _DOCUMENT.search(application):
        return Place.DOCUMENT
    if _SEARCH_TITLES.search(title):
        return Place.SEARCH
    return Place.UNKNOWN
