"""What a fragment of HTML says: its text, and where its links lead. Pages show both without the HTML."""

from dataclasses import dataclass, field
from html.parser import HTMLParser


@dataclass(frozen=True)
class Said:
    """`text` has the address of each link behind its words; `links` are (words, address)."""

    text: str
    links: tuple[tuple[str, str], ...] = ()
    is_markup: bool = False


def said(fragment: str) -> Said:
    """What a fragment of HTML, or plain text, says."""
    reader = _Reader()
    reader.feed(fragment)
    reader.close()
    return Said(" ".join("".join(reader.text).split()), tuple(reader.links), reader.is_markup)


@dataclass
class _Link:
    address: str
    words: list[str] = field(default_factory=list)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.text: list[str] = []
        self.links: list[tuple[str, str]] = []
        self.is_markup = False
        self._link: _Link | None = None
        self._unseen = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.is_markup = True
        self._unseen += tag in ("script", "style")
        self.text.append("" if tag in ("a", "b", "i", "em", "strong", "code", "span") else " ")
        address = dict(attrs).get("href") if tag == "a" else None
        if address:
            self._link = _Link(address.strip())

    def handle_endtag(self, tag: str) -> None:
        self._unseen -= tag in ("script", "style") and self._unseen > 0
        if tag != "a" or self._link is None:
            return
        words = " ".join("".join(self._link.words).split())
        self.links.append((words or self._link.address, self._link.address))
        if words != self._link.address:
            self.text.append(f" ({self._link.address})")
        self._link = None

    def handle_data(self, data: str) -> None:
        if self._unseen:
            return
        self.text.append(data)
        if self._link is not None:
            self._link.words.append(data)
