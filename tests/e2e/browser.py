"""A Chromium, what it said and whom it asked; and a wallet that signs with a key of this process."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from eth_account import Account
from playwright.sync_api import Browser, Page, sync_playwright

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
KEY = "0x" + "4f" * 32
WALLET = """
(() => {
  const info = {uuid: "7b9e1d3a-0000-4000-8000-000000000001", name: "Test wallet", icon: "data:image/png;base64,AAAA", rdns: "org.example.test"};
  const provider = {
    on() {},
    async request({method, params}) {
      const answer = await window.askWallet(method, JSON.stringify(params || []));
      if (answer.error) throw Object.assign(new Error(answer.error), {code: answer.code});
      return answer.result;
    },
  };
  const announce = () => dispatchEvent(new CustomEvent("eip6963:announceProvider", {detail: Object.freeze({info, provider})}));
  addEventListener("eip6963:requestProvider", announce);
  announce();
})();
"""  # noqa: E501 - one line a thought


def chromium() -> str | None:
    """Where a Chromium is, ``None`` if there is none."""
    return next(
        (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None
    )


@contextmanager
def launched() -> Iterator[Browser]:
    """A headless browser that speaks to nobody by itself."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        yield browser
        browser.close()


class Visit:
    """One visitor: a page of its own with its own storage."""

    def __init__(self, browser: Browser, address: str, *, wallet: bool = False, **options: Any) -> None:
        self.context = browser.new_context(**({"viewport": {"width": 1440, "height": 900}} | options))
        self.page: Page = self.context.new_page()
        self.address = address
        self.faults: list[str] = []
        self.hosts: set[str] = set()
        self.declines = False
        self.asked: list[str] = []
        self.page.set_default_timeout(20_000)
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda fault: self.faults.append(str(fault)))
        self.page.on("request", lambda request: self._host(request.url))
        self.page.on("websocket", lambda socket: self._host(socket.url))
        if wallet:
            self.page.expose_function("askWallet", self._wallet)
            self.page.add_init_script(WALLET)

    def _hear(self, message: Any) -> None:
        if message.type == "error":
            self.faults.append(message.text)

    def _host(self, url: str) -> None:
        if url.startswith(("http", "ws")):
            self.hosts.add(urlsplit(url).netloc)

    def _wallet(self, method: str, parameters: str) -> dict[str, Any]:
        """What a browser wallet does (EIP-1193): accounts, and typed data signed as the user decides."""
        self.asked.append(method)
        account = Account.from_key(KEY)
        if method in ("eth_requestAccounts", "eth_accounts"):
            return {"result": [account.address]}
        if self.declines:
            return {"error": "User rejected the request.", "code": 4001}
        _, data = json.loads(parameters)
        signed = Account.sign_typed_data(KEY, full_message=json.loads(data))
        return {"result": "0x" + signed.signature.hex().removeprefix("0x")}

    def open(self, section: str = "trade") -> Page:
        """Go there and wait until the venue is followed live."""
        self.page.goto(f"{self.address}/#/{section}")
        self.page.wait_for_selector("#live.good, #live.warn")
        return self.page

    def go(self, section: str) -> Page:
        """Another section, without loading anew."""
        self.page.click(f'#nav a[href="#/{section}"]')
        self.page.wait_for_selector(f"main.page-{section} h1, main.page-{section} .ticket")
        return self.page

    def use_demo(self) -> Page:
        """Connect the demo wallet and take test tokens."""
        self.page.click("#connect")
        self.page.click("#demo-wallet")
        self.page.wait_for_selector("#toasts >> text=Received test tokens")
        return self.page

    def close(self) -> None:
        """Leave; nothing may have gone wrong, and nobody else may have been asked."""
        self.context.close()
        assert not self.faults, self.faults
        assert self.hosts == {urlsplit(self.address).netloc}, self.hosts
