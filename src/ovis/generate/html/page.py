"""The frame of every page: title, search, list of pages, content."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from ovis.schema import Schema

OVERVIEW_PAGES = (
    ("types.html", "Types"),
    ("events.html", "Events"),
    ("errors.html", "Errors"),
    ("wire.html", "Units and wire forms"),
    ("calling.html", "Access, conditions, repeating"),
    ("proofs.html", "What is proved"),
)

_FRAME = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} - Ovis node API</title>
<link rel="stylesheet" href="style.css">
<script src="search-index.js" defer></script>
<script src="search.js" defer></script>
</head>
<body>
<a class="skip" href="#content">Skip to the content</a>
<header>
<a class="home" href="index.html">Ovis node API</a>
<div class="search" role="search">
<input id="search" type="search" placeholder="Search verbs, types, members, errors ( / )" autocomplete="off"
 aria-label="Search the reference" aria-controls="found" aria-expanded="false">
<ol id="found" hidden></ol>
</div>
</header>
<nav aria-label="Pages">
<ul>
{links}
</ul>
</nav>
<main id="content" tabindex="-1">
{body}
</main>
</body>
</html>
"""


@dataclass(frozen=True)
class Page:
    """`file` is relative to the folder of the reference, `body` is HTML."""

    file: str
    title: str
    body: str


def render(page: Page, schema: Schema) -> str:
    """The text of the HTML file."""
    classes = [(f"class-{name}.html", name) for name in schema.classes]
    links = [_link(file, name, page.file) for file, name in classes]
    links.append('<li class="gap" aria-hidden="true"></li>')
    links += [_link(file, name, page.file) for file, name in OVERVIEW_PAGES]
    return _FRAME.format(title=escape(page.title), links="\n".join(links), body=page.body)


def _link(file: str, name: str, current: str) -> str:
    here = ' aria-current="page"' if file == current or (file == "types.html" and current.startswith("type-")) else ""
    return f'<li><a href="{file}"{here}>{escape(name)}</a></li>'
