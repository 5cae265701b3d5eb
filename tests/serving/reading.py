"""The page in a browser, and what a reader does there."""

from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.wait import WebDriverWait

SOURCE, TARGET = "#mirror span", "#translation span"  # the words
COLUMNS, ROWS = "#map th[scope=col]", "#map th[scope=row]"
CELLS = "#map tbody td"


class Page:
    """The page in a browser."""

    def __init__(self, browser, client, *, heading="English"):
        self.browser, self.client = browser, client
        self.address = address = f"http://127.0.0.1:{client.port}"
        browser.get(address)
        permissions = {
            "permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"],
            "origin": address,
        }
        browser.execute_cdp_cmd("Browser.grantPermissions", permissions)
        self.until(lambda: self.text("#target-name") == heading)

    def until(self, condition, *, seconds=30):
        return WebDriverWait(self.browser, seconds, 0.02).until(lambda _: condition())

    def one(self, selector):
        return self.browser.find_element(By.CSS_SELECTOR, selector)

    def all(self, selector):
        return self.browser.find_elements(By.CSS_SELECTOR, selector)

    def run(self, script, *arguments):
        return self.browser.execute_script(script, *arguments)

    def watch(self):
        """Begins to note what the page asks for."""
        self.run(
            "const ask = window.fetch; window.asked = [];"
            "window.fetch = (path, options) => {"
            "  if (options?.body) window.asked.push(JSON.parse(options.body));"
            "  return ask(path, options); }"
        )

    def asked(self):
        return self.run("return window.asked")

    def texts(self, selector):
        script = "return [...document.querySelectorAll(arguments[0])].map((e) => e.textContent)"
        return self.run(script, selector)

    def text(self, selector):
        return self.texts(selector)[0]

    def paste(self, text):
        self.one("#text").click()  # only a page that has the focus may write to the clipboard
        script = "navigator.clipboard.writeText(arguments[0]).then(arguments[1])"
        self.browser.execute_async_script(script, text)
        self.one("#text").send_keys(Keys.CONTROL, "v")

    def translated(self, text):
        """Types a text into the empty field, and waits for its translation."""
        self.one("#text").send_keys(text)
        self.until(lambda: self.text("#translation") and self.finished())
        return self.text("#translation")

    def finished(self):
        return self.run(
            "return document.getElementById('translation').ariaBusy === 'false'"
            " && !document.querySelector('p.old')"
        )

    def offers(self):
        return self.run("return document.getElementById('menu').ariaBusy === 'false'")

    def point(self, selector, number):
        ActionChains(self.browser).move_to_element(self.all(selector)[number]).perform()

    def press(self, *keys):
        ActionChains(self.browser).send_keys(*keys).perform()

    def lit(self, selector):
        """How strongly each element is colored, in percent."""
        colors = self.run(
            "return [...document.querySelectorAll(arguments[0])]"
            ".map((e) => getComputedStyle(e).backgroundColor)",
            selector,
        )
        assert all(color.startswith(("rgba(213, 94, 0", "rgb(213, 94, 0")) for color in colors)
        return [float([*color.strip(")").split(", "), "1"][3]) for color in colors]

    def ask(self, **question):
        """The translations of a text, from the server itself."""
        return self.client.translated(model="copy", attention=True, **question)
