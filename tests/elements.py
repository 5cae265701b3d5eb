"""The elements of an HTML page, for tests of what it asks for and holds."""

from html.parser import HTMLParser


class Elements(HTMLParser):
    """Collects the elements of a page and the text in its scripts."""

    def __init__(self, page):
        super().__init__()
        self.found, self.scripts = [], []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))
        if tag == "script":
            self.scripts.append("")

    def handle_data(self, data):
        if self.found and self.found[-1][0] == "script":
            self.scripts[-1] += data
